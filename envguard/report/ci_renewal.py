"""The weekly workflow that renews environments: one job tries what is new, another one proposes what it found.

What is new is somebody else's code, and runs in the first job: that one has no right to write, and no token in its
checkout. The second one has, runs nothing of it, and takes from the first no other files than locks and the catalog.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from envguard.report.ci import CHECKOUT, SETUP_PYTHON, STORE, UPLOAD
from envguard.report.yaml import YamlValue, to_yaml

DOWNLOAD = "actions/download-artifact@v4"
# Mondays, and not on the hour, when GitHub is busiest and may drop scheduled runs.
WEEKLY = "17 4 * * 1"
ARTIFACT = BRANCH = "envguard-renewal"
PATCH, TEXT = "renewal.patch", "renewal.txt"
TITLE = "Renew environments"
AUTHOR = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


@dataclass(frozen=True, slots=True)
class RenewalJob:
    """What to renew in CI, for `install`, `folder` and `project` see `CiJob`.

    `pythons` are the minors to prove on, and the last one is that which envguard runs on. `catalog` is the file that
    editions are written to, from `folder`, which locks lie in too.
    """

    install: tuple[str, ...]
    pythons: tuple[str, ...]
    catalog: str
    folder: str = ""
    project: bool = False

    @property
    def below(self) -> str:
        """The prefix that turns a path of the project into one from the top of the repository."""
        return f"{self.folder}/" if self.folder else ""


def renewal_workflow(job: RenewalJob) -> str:
    """The workflow for GitHub Actions."""
    document: dict[str, YamlValue] = {
        "name": "envguard renew",
        "on": {"schedule": [{"cron": WEEKLY}], "workflow_dispatch": None},
        "permissions": {"contents": "read"},
        "concurrency": {"group": ARTIFACT},
        "jobs": {"renew": _trying(job), "propose": _proposing(job)},
    }
    return "# Written by `envguard ci github --renew`; regenerate it with --force.\n" + to_yaml(document)


def _trying(job: RenewalJob) -> dict[str, YamlValue]:
    variables: dict[str, YamlValue] = {"ENVGUARD_HOME": f"${{{{ github.workspace }}}}/{STORE}"}
    if job.project:
        variables["ENVGUARD_PROJECT"] = f"${{{{ github.workspace }}}}/{job.folder}".rstrip("/")
    work: dict[str, YamlValue] = {"runs-on": "ubuntu-latest", "timeout-minutes": 180, "env": variables}
    if job.folder:
        work["defaults"] = {"run": {"working-directory": job.folder}}
    steps: list[YamlValue] = [
        {"uses": CHECKOUT, "with": {"persist-credentials": False}},
        {"uses": SETUP_PYTHON, "with": {"python-version": "\n".join(job.pythons)}},
        {"name": "Install envguard", "run": _script(*job.install)},
        {"name": "Try newer releases", "run": _script(*trying_lines(job))},
        {
            "name": "Hand over what was found",
            "uses": UPLOAD,
            "with": {
                "name": ARTIFACT,
                "path": f"${{{{ runner.temp }}}}/{PATCH}\n${{{{ runner.temp }}}}/{TEXT}",
                "if-no-files-found": "error",
            },
        },
    ]
    return {**work, "steps": steps}


def trying_lines(job: RenewalJob) -> tuple[str, ...]:
    """The shell lines that renew and leave a patch and what `renew` says in the runner's temporary folder."""
    program = "envguard --trust" if job.project else "envguard"
    return (
        "code=0",
        f'{program} renew > "$RUNNER_TEMP/{TEXT}" || code=$?',
        f'cat "$RUNNER_TEMP/{TEXT}"',
        "# 1: a newer release does not work, which is worth a proposal too",
        'test "$code" -le 1',
        f"git add --all -- {shlex.quote(job.catalog)} lockfiles",
        f'git diff --cached --binary > "$RUNNER_TEMP/{PATCH}"',
    )


def _proposing(job: RenewalJob) -> dict[str, YamlValue]:
    steps: list[YamlValue] = [
        {"uses": CHECKOUT},
        {"uses": DOWNLOAD, "with": {"name": ARTIFACT, "path": "${{ runner.temp }}"}},
        {
            "name": "Open a pull request, or bring the open one up to date",
            "env": {"GH_TOKEN": "${{ github.token }}"},
            "run": _script(*proposing_lines(job)),
        },
    ]
    return {
        "needs": "renew",
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 10,
        "permissions": {"contents": "write", "pull-requests": "write"},
        "steps": steps,
    }


def proposing_lines(job: RenewalJob) -> tuple[str, ...]:
    """The shell lines that push what the patch says of locks and the catalog, and open a pull request for it."""
    taken = " ".join(f"--include={shlex.quote(job.below + each)}" for each in ("lockfiles/*", job.catalog))
    name, address = map(shlex.quote, AUTHOR)
    return (
        f'if ! test -s "$RUNNER_TEMP/{PATCH}"; then echo "Nothing to propose."; exit 0; fi',
        f'git apply --index {taken} "$RUNNER_TEMP/{PATCH}"',
        f"git -c user.name={name} -c user.email={address} commit -m {shlex.quote(TITLE)}",
        f"git push --force origin HEAD:refs/heads/{BRANCH}",
        "# Indented, so that it is shown as it is: it quotes what tools and packages say",
        f'sed "s/^/    /" "$RUNNER_TEMP/{TEXT}" > "$RUNNER_TEMP/body.md"',
        f'if test -n "$(gh pr list --head {BRANCH} --state open --json number --jq ".[].number")"; then',
        f'  gh pr edit {BRANCH} --body-file "$RUNNER_TEMP/body.md"',
        "else",
        f'  gh pr create --head {BRANCH} --title {shlex.quote(TITLE)} --body-file "$RUNNER_TEMP/body.md"',
        "fi",
    )


def _script(*lines: str) -> str:
    return "\n".join(lines) + "\n" if len(lines) > 1 else lines[0]
