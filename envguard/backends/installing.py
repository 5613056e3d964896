"""Install locks with uv: only wheels whose hashes match, into virtual environments or other folders."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envguard.backends.uv_words import Tell, UvWords, tell_nobody
from envguard.errors import NoEnvironment
from envguard.host.secrets import without_secrets
from envguard.layout import Layout
from envguard.locks.lockfile import Lock
from envguard.stalling import LEAST, PATIENCE, VARIABLE, Stall, ended_if_stalled

TAIL_LINES = 20
NO_SPACE = re.compile(r"No space left on device|os error 28\b|Disk quota exceeded|os error 112\b")

# These make two builds of a lock in the same folder equal byte for byte. Bytecode carries its source's time unless it
# is told to carry a hash; nobody edits the sources here, so the hash need not be checked on import. Before Python 3.11,
# the order of a set of constants in bytecode follows the hash seed.
REPRODUCIBLE = {"PYC_INVALIDATION_MODE": "UNCHECKED_HASH", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True, slots=True)
class Installer:
    """How uv is run: its binary, its variables, its cache, and the folder for its logs.

    With `find_links`, folders of wheels replace the package index; with `offline`, no network is used. `tell` is told
    how far an installation has got; one for which nothing comes for `patience` seconds is ended. `npm_variables` are
    those that npm sees.
    """

    uv: Path
    variables: Mapping[str, str]
    cache: Path
    logs: Path
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    tell: Tell = tell_nobody
    patience: float = PATIENCE
    npm_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def sources(self) -> list[str | Path]:
        """The arguments that name the sources of packages."""
        wheelhouses: list[str | Path] = ["--no-index"] if self.find_links else []
        for folder in self.find_links:
            wheelhouses += ["--find-links", folder]
        return [*wheelhouses, *(["--offline"] if self.offline else [])]


def build_venv(
    folder: Path, interpreter: Path, lock: Lock, installer: Installer, descriptors: tuple[int, ...] = ()
) -> Layout:
    """Create a virtual environment in `folder` and install every package of the lock into it.

    Files are copied, never hard-linked, so that damage to one environment does not spread, and bytecode is compiled
    now, so that no run writes to the environment. Raises NoEnvironment with uv's own words.
    """
    venv = folder / "venv"
    folder.mkdir(parents=True)
    requirements = folder / "lock.txt"
    requirements.write_text(lock.text(), encoding="utf-8")
    venv_of: list[str | Path] = ["venv", venv, "--python", interpreter, "--no-project", "--link-mode", "copy"]
    run_uv(installer, venv_of, lock, folder, descriptors)
    layout = _layout(venv)
    run_uv(
        installer,
        [
            "pip", "install", "--python", layout.python, "--requirements", requirements, "--require-hashes",
            "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "--compile-bytecode", *installer.sources,
        ],
        lock,
        folder,
        descriptors,
    )  # fmt: skip
    return layout


def forget_distributions(names: Sequence[str], installer: Installer) -> None:
    """Remove distributions from uv's cache, so that the next build downloads them again."""
    clear_cache(installer.uv, installer.cache, installer.variables, names)


def clear_cache(uv: Path, cache: Path, variables: Mapping[str, str], names: Sequence[str] = ()) -> None:
    """Empty uv's cache, or remove the named distributions from it; uv waits until nobody is installing from it."""
    command = [uv, "cache", "clean", *names, "--no-config", "--cache-dir", cache, "--color", "never", "--quiet"]
    run = subprocess.run(
        list(map(str, command)),
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if run.returncode != 0:
        raise NoEnvironment(
            f"uv's cache {cache} cannot be cleared.",
            why="\n".join(run.stderr.strip().splitlines()[-TAIL_LINES:]),
            next_step="Check its permissions and the disk, then run the same command again.",
        )


def _layout(venv: Path) -> Layout:
    if os.name == "nt":
        return Layout(venv / "Scripts" / "python.exe", venv / "Lib" / "site-packages")
    (site_packages,) = venv.glob("lib/python3.*/site-packages")
    return Layout(venv / "bin" / "python", site_packages)


def run_uv(
    installer: Installer,
    arguments: Sequence[str | Path],
    lock: Lock,
    folder: Path,
    descriptors: tuple[int, ...],
) -> None:
    """Run uv for a lock, which it installs below `folder`. Children inherit the `descriptors`.

    Raises NoEnvironment with uv's words, or where nothing comes any more.
    """
    command = [
        installer.uv, *arguments, "--no-config", "--no-python-downloads", "--cache-dir", installer.cache,
        "--color", "never", "--no-progress",
    ]  # fmt: skip
    code, said, stall = _follow(command, installer, folder, descriptors)
    if stall.found:
        raise _has_stalled(lock, stall)
    if code != 0:
        if NO_SPACE.search(said):
            raise _disk_is_full(lock, installer)
        raise NoEnvironment(
            f"{lock.environment} {lock.edition} cannot be installed for Python {lock.python}.",
            why=without_secrets("\n".join(said.strip().splitlines()[-TAIL_LINES:]), installer.variables),
            next_step="If the package index cannot be reached, check the network, the proxy and the index settings; "
            "then run the same command again.",
        )


def _follow(
    command: Sequence[str | Path], installer: Installer, folder: Path, descriptors: tuple[int, ...]
) -> tuple[int, str, Stall]:
    """Run uv and follow its output line by line; returns its exit code, all of its output, and whether it stalled."""
    words, lines = UvWords(installer.tell), []
    with subprocess.Popen(
        command,
        env={**installer.variables, **REPRODUCIBLE},
        cwd=installer.logs,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=descriptors,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            places = (installer.cache, folder)
            with ended_if_stalled(places, lambda: _kill(process), installer.patience) as stall:
                for line in process.stdout:
                    lines.append(line)
                    words.hear(line)
        except BaseException:
            _kill(process)
            raise
    return process.returncode, "".join(lines), stall


def _kill(process: subprocess.Popen[str]) -> None:
    """End uv and the Pythons that compile for it, which would otherwise keep writing to a folder being cleared."""
    if os.name == "nt":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _has_stalled(lock: Lock, stall: Stall) -> NoEnvironment:
    return NoEnvironment(
        f"The installation of {lock.environment} {lock.edition} for Python {lock.python} has stalled.",
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
