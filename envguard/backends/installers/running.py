"""Run the tool that installs a lock: follow what it says, end it where it stalls, and tell its failure in its words."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from envguard.backends.installers.compiling import COMPILE, REPRODUCIBLE
from envguard.backends.installers.settings import Installer, Job
from envguard.errors import NoEnvironment
from envguard.host.secrets import without_secrets
from envguard.locks.lockfile import Lock
from envguard.stalling import LEAST, VARIABLE, Stall, ended_if_stalled
from envguard.system.groups import FLAGS, Group

TAIL_LINES = 20
NO_SPACE = re.compile(r"No space left on device|os error 28\b|Disk quota exceeded|os error 112\b")


def run_tool(
    command: Sequence[str | Path], job: Job, variables: Mapping[str, str], hear: Callable[[str], None]
) -> None:
    """Run an installer's command for a job; `hear` is told each line that it prints.

    Raises NoEnvironment with the tool's words, or where nothing comes any more.
    """
    installer, lock = job.installer, job.lock
    code, said, stall = follow(command, installer, job.folder, variables, hear, job.descriptors)
    if stall.found:
        raise has_stalled(f"The installation of {lock.environment} {lock.edition} for Python {lock.python}", stall)
    if code != 0:
        if NO_SPACE.search(said):
            raise _disk_is_full(lock, installer)
        raise NoEnvironment(
            f"{lock.environment} {lock.edition} cannot be installed for Python {lock.python}.",
            why=last_words(said, installer.variables),
            next_step="If the package index cannot be reached, check the network, the proxy and the index settings; "
            "then run the same command again.",
        )


def compile_bytecode(python: Path, site_packages: Path, job: Job) -> None:
    """Compile everything below an environment's `site_packages` with its own Python; raises NoEnvironment."""
    job.installer.tell("compiling", 0, 0)
    # Not isolated: before 3.11, Python orders constants by PYTHONHASHSEED; its other variables are not there.
    command = (python, "-S", "-B", "-c", COMPILE, site_packages)
    run_tool(command, job, {**job.installer.variables, "PYTHONNOUSERSITE": "1"}, lambda line: None)


def last_words(said: str, variables: Mapping[str, str]) -> str:
    """The end of what a tool said, without the secrets in its variables."""
    return without_secrets("\n".join(said.strip().splitlines()[-TAIL_LINES:]), variables)


def follow(
    command: Sequence[str | Path],
    installer: Installer,
    folder: Path,
    variables: Mapping[str, str],
    hear: Callable[[str], None],
    descriptors: tuple[int, ...],
) -> tuple[int, str, Stall]:
    """Run a tool that writes to `folder` line by line; returns its exit code, its output, and whether it stalled."""
    lines = []
    with subprocess.Popen(
        command,
        env={**variables, **REPRODUCIBLE},
        cwd=installer.logs,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=descriptors,
        start_new_session=True,
        creationflags=FLAGS,
    ) as process:
        # With it end the Pythons that compile for it; else they keep writing to a folder that is being cleared.
        group = Group(process)
        assert process.stdout is not None
        try:
            places = (installer.cache, folder)
            with ended_if_stalled(places, group.kill, installer.patience) as stall:
                for line in process.stdout:
                    lines.append(line)
                    hear(line)
        except BaseException:
            group.kill()
            raise
    group.close()
    return process.returncode, "".join(lines), stall


def has_stalled(what: str, stall: Stall) -> NoEnvironment:
    """That something which was being downloaded does not come any more."""
    return NoEnvironment(
        f"{what} has stalled.",
        why=f"fewer than {LEAST:,} bytes came in {stall.patience:g} seconds",
        next_step="Check the network, the proxy and the package index, then run the same command again; "
        f"on a line that is so slow, give it more time: {VARIABLE}={2 * stall.patience:g}",
    )


def _disk_is_full(lock: Lock, installer: Installer) -> NoEnvironment:
    free = shutil.disk_usage(installer.logs).free / 1e6
    return NoEnvironment(
        f"There is no space left to install {lock.environment} {lock.edition} for Python {lock.python}.",
        why=f"the disk that holds {installer.logs.parent} has {free:,.1f} MB free; how much more is "
        "needed is unknown until everything is unpacked",
        next_step="Free some space, for example with `envguard store prune`, or set ENVGUARD_HOME to a folder on "
        "another disk; then run the same command again.",
    )
