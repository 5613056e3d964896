"""Workflows that run a task in CI: the store restored by the digest of its locks, locks checked, report kept."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from envguard.catalog.model import Environment
from envguard.report.yaml import Value, to_yaml
from envguard.running.environments.recorded import recorded_locks

STORE = ".envguard-store"
OUTPUTS = "envguard-out"
REPORT = f"{OUTPUTS}/report"
PACKED = "envguard-store.tar"

# Named by their major versions; docs/ci.md says how to pin them by commit.
CHECKOUT, SETUP_PYTHON = "actions/checkout@v4", "actions/setup-python@v5"
CACHE, UPLOAD = "actions/cache@v4", "actions/upload-artifact@v4"


@dataclass(frozen=True, slots=True)
class Job:
    """What shall run there.

    `install` are shell lines after which `envguard` is a command, `checked` the environments whose locks are checked,
    `command` is the task's command line, of which `stdout`, if not empty, names the file that its output goes to.
    `python` is a minor, `key` the digest of the locks, `folder` where all runs, below the top of the repository, or
    empty; `project` says whether it is that of an envguard.toml.
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
        """What stands before a path of the project to name it from the top of the repository."""
        return f"{self.folder}/" if self.folder else ""

    @property
    def check_line(self) -> str:
        """Do the locks still resolve to their bytes?"""
        return shlex.join(("envguard", "lock", "--check", *self.checked))

    @property
    def run_lines(self) -> tuple[str, ...]:
        """The task itself."""
        redirected = f" > {shlex.quote(self.stdout)}" if self.stdout else ""
        return f"mkdir -p {OUTPUTS}", shlex.join(self.command) + redirected


def locks_key(environments: Iterable[Environment]) -> str:
    """A name for the locks of these environments' offered editions: 32 hex digits, others as soon as a lock changes."""
    lines = [
        f"{environment.name} {edition} {python} {lock.digest}"
        for environment in environments
        for (edition, python), lock in recorded_locks(environment).items()
        if (found := environment.edition(edition)) is not None and found.offered
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:32]


def github_workflow(job: Job) -> str:
    """The job as a workflow of GitHub Actions."""
    work: dict[str, Value] = {
        "name": job.task,
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 60,
        "env": _variables(job, "${{ github.workspace }}"),
    }
    if job.folder:
        work["defaults"] = {"run": {"working-directory": job.folder}}
    document: dict[str, Value] = {
        "name": f"envguard {job.task}",
        "on": {"push": None, "pull_request": None, "workflow_dispatch": None},
        "permissions": {"contents": "read"},
        "jobs": {"envguard": {**work, "steps": _github_steps(job)}},
    }
    return _head("github") + to_yaml(document)


def _github_steps(job: Job) -> list[Value]:
    key = "envguard-${{ runner.os }}-${{ runner.arch }}-${{ steps.python.outputs.python-version }}"
    return [
        {"uses": CHECKOUT},
        {"id": "python", "uses": SETUP_PYTHON, "with": {"python-version": job.python}},
        {"name": "Install envguard", "run": _script(job.install)},
        {
            "name": "Name the locks",
            "id": "locks",
            # In two lines, because a shell goes on when what is inside quotes fails.
            "run": _script((f"key=$({_key_command(job)})", 'echo "key=$key" >> "$GITHUB_OUTPUT"')),
        },
        {
            "name": "Restore the environments that these locks make",
            "uses": CACHE,
            "with": {"path": f"{STORE}/environments", "key": f"{key}-${{{{ steps.locks.outputs.key }}}}"},
        },
        {"name": "Check the locks", "run": job.check_line},
        {"name": "Run the task", "run": _script(job.run_lines)},
        {
            "name": "Keep output, report and receipt",
            "if": "${{ !cancelled() }}",
            "uses": UPLOAD,
            "with": {"name": f"envguard-{job.task}", "path": f"{job.below}{OUTPUTS}", "if-no-files-found": "ignore"},
        },
    ]


def gitlab_pipeline(job: Job) -> str:
    """The job as a pipeline of GitLab CI; of files in a cache GitLab keeps no exact times, so the store is packed."""
    top = [f"cd {shlex.quote(job.folder)}"] if job.folder else []
    unpack = f'if [ -f "$CI_PROJECT_DIR/{PACKED}" ]; then tar -xf "$CI_PROJECT_DIR/{PACKED}" -C "$ENVGUARD_HOME"; fi'
    pack = f'tar --format=posix -cf "$CI_PROJECT_DIR/{PACKED}" -C "$ENVGUARD_HOME" environments'
    document: dict[str, Value] = {
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


def _variables(job: Job, top: str) -> dict[str, Value]:
    """Where the store lies; and the project by name, because a checkout that others may write to is not searched."""
    variables: dict[str, Value] = {"ENVGUARD_HOME": f"{top}/{STORE}"}
    if job.project:
        variables["ENVGUARD_PROJECT"] = f"{top}/{job.folder}".rstrip("/")
    return variables


def _key_command(job: Job) -> str:
    return shlex.join(("envguard", "ci", "key", job.task))


def _script(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n" if len(lines) > 1 else lines[0]


def _head(system: str) -> str:
    return f"# Written by `envguard ci {system}`, which writes it anew with --force.\n"
