"""Workflows that run a task in CI: restore the store by the digest of its locks, check the locks, keep the report."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from envguard.catalog.model import Environment
from envguard.report.yaml import YamlValue, to_yaml
from envguard.running.environments.recorded import recorded_locks

STORE = ".envguard-store"
OUTPUTS = "envguard-out"
REPORT = f"{OUTPUTS}/report"
PACKED = "envguard-store.tar"

# Named by their major versions; docs/ci.md says how to pin them by commit.
CHECKOUT, SETUP_PYTHON = "actions/checkout@v4", "actions/setup-python@v5"
CACHE, UPLOAD = "actions/cache@v4", "actions/upload-artifact@v4"


@dataclass(frozen=True, slots=True)
class CiJob:
    """What to run in CI.

    `install` holds the shell lines that make `envguard` a command, `checked` the environments whose locks to check,
    `command` what to run the task with; `stdout`, unless empty, names the file that receives its output. `python` is a
    minor, `key` the digest of the locks. `folder` is where everything runs, relative to the top of the repository, or
    empty; `project` says whether it has an envguard.toml.
    """

    task: str
    install: tuple[str, ...]
    checked: tuple[str, ...]
    command: tuple[str, ...]
    stdout: str
    python: str
    key: str
    folder: str = ""
    project: bool = False

    @property
    def below(self) -> str:
        """The prefix that turns a path of the project into one from the top of the repository."""
        return f"{self.folder}/" if self.folder else ""

    @property
    def program(self) -> tuple[str, ...]:
        """envguard, told to trust the project: whoever starts a job in CI has chosen the commit that it runs."""
        return ("envguard", "--trust") if self.project else ("envguard",)

    @property
    def check_line(self) -> str:
        """The command that checks whether the locks still resolve to the same bytes."""
        return shlex.join((*self.program, "lock", "--check", *self.checked))

    @property
    def run_lines(self) -> tuple[str, ...]:
        """The commands that run the task."""
        redirected = f" > {shlex.quote(self.stdout)}" if self.stdout else ""
        return f"mkdir -p {OUTPUTS}", shlex.join((*self.program, *self.command)) + redirected


def locks_key(environments: Iterable[Environment]) -> str:
    """A key for the locks of these environments' offered editions: 32 hex digits that change with any lock."""
    lines = [
        f"{environment.name} {edition} {python} {lock.digest}"
        for environment in environments
        for (edition, python), lock in recorded_locks(environment).items()
        if (found := environment.edition(edition)) is not None and found.offered
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:32]


def github_workflow(job: CiJob) -> str:
    """The job as a workflow of GitHub Actions."""
    work: dict[str, YamlValue] = {
        "name": job.task,
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 60,
        "env": _variables(job, "${{ github.workspace }}"),
    }
    if job.folder:
        work["defaults"] = {"run": {"working-directory": job.folder}}
    document: dict[str, YamlValue] = {
        "name": f"envguard {job.task}",
        "on": {"push": None, "pull_request": None, "workflow_dispatch": None},
        "permissions": {"contents": "read"},
        "jobs": {"envguard": {**work, "steps": _github_steps(job)}},
    }
    return _head("github") + to_yaml(document)


def _github_steps(job: CiJob) -> list[YamlValue]:
    key = "envguard-${{ runner.os }}-${{ runner.arch }}-${{ steps.python.outputs.python-version }}"
    return [
        {"uses": CHECKOUT},
        {"id": "python", "uses": SETUP_PYTHON, "with": {"python-version": job.python}},
        {"name": "Install envguard", "run": _script(job.install)},
        {
            "name": "Name the locks",
            "id": "locks",
            # In two lines, because a shell ignores the failure of a command substituted inside quotes.
            "run": _script((f"key=$({_key_command(job)})", 'echo "key=$key" >> "$GITHUB_OUTPUT"')),
        },
        {
            "name": "Restore the environments built from these locks",
            "uses": CACHE,
            "with": {"path": f"{STORE}/environments", "key": f"{key}-${{{{ steps.locks.outputs.key }}}}"},
        },
        {"name": "Check the locks", "run": job.check_line},
        {"name": "Run the task", "run": _script(job.run_lines)},
        {
            "name": "Upload output, report and receipt",
            "if": "${{ !cancelled() }}",
            "uses": UPLOAD,
            "with": {"name": f"envguard-{job.task}", "path": f"{job.below}{OUTPUTS}", "if-no-files-found": "ignore"},
        },
    ]


def gitlab_pipeline(job: CiJob) -> str:
    """The job as a GitLab CI pipeline; the store is packed, because GitLab's cache does not keep exact file times."""
    top = [f"cd {shlex.quote(job.folder)}"] if job.folder else []
    unpack = f'if [ -f "$CI_PROJECT_DIR/{PACKED}" ]; then tar -xf "$CI_PROJECT_DIR/{PACKED}" -C "$ENVGUARD_HOME"; fi'
    pack = f'tar --format=posix -cf "$CI_PROJECT_DIR/{PACKED}" -C "$ENVGUARD_HOME" environments'
    document: dict[str, YamlValue] = {
        "envguard": {
            "image": f"python:{job.python}",
            "timeout": "1 hour",
            "variables": _variables(job, "$CI_PROJECT_DIR"),
            "cache": {"key": f"envguard-{job.python}-{job.key}", "paths": [PACKED]},
            "before_script": [*top, *job.install, 'mkdir -p "$ENVGUARD_HOME"', unpack],
            "script": [job.check_line, *job.run_lines],
            "after_script": [f'if [ -d "$ENVGUARD_HOME/environments" ]; then {pack}; fi'],
            "artifacts": {"when": "always", "paths": [f"{job.below}{OUTPUTS}"]},
        }
    }
    return _head("gitlab") + to_yaml(document)


def _variables(job: CiJob, top: str) -> dict[str, YamlValue]:
    """The store's folder, and the project's, because envguard does not search a checkout that others can write to."""
    variables: dict[str, YamlValue] = {"ENVGUARD_HOME": f"{top}/{STORE}"}
    if job.project:
        variables["ENVGUARD_PROJECT"] = f"{top}/{job.folder}".rstrip("/")
    return variables


def _key_command(job: CiJob) -> str:
    return shlex.join(("envguard", "ci", "key", job.task))


def _script(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n" if len(lines) > 1 else lines[0]


def _head(system: str) -> str:
    return f"# Written by `envguard ci {system}`; regenerate it with --force.\n"
