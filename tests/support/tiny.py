"""A small real environment, built through the store as envguard builds its own: for tests that build hundreds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.installers.settings import Installer
from envguard.backends.installing import build_venv
from envguard.host.variables import installer_variables
from envguard.layout import Layout
from envguard.locks.lockfile import Lock, LockRequest, read_lock
from envguard.locks.proofs import Proof
from envguard.locks.resolver import resolve
from envguard.locks.uv import UvSetup, find_uv
from envguard.store.environments import BuiltEnvironment, ensure
from envguard.store.identity import Identity

CUT_OFF = "2026-11-01T00:00:00Z"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSION = ".".join(map(str, sys.version_info[:3]))
INTERPRETER = Path(sys.executable).resolve()


@dataclass(frozen=True)
class Tiny:
    """A lock and where to build it; `cache` is kept from test to test, so that only the first downloads."""

    lock: Lock
    home: Path
    cache: Path

    def identity(self, edition: str = "1") -> Identity:
        return Identity("tiny", edition, self.lock.digest, str(INTERPRETER), VERSION, sys.version, "here", "venv")

    def ensure(self, edition: str = "1") -> BuiltEnvironment:
        """The environment, built in this process unless it is ready; builds are counted."""
        logs = self.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        installer = Installer(find_uv(), installer_variables(os.environ), self.cache, logs)
        return ensure(
            self.home,
            self.identity(edition),
            build=lambda folder, held: build_venv(folder, INTERPRETER, self.lock, installer, held),
            prove=self._prove,
            watcher=self,
        )

    def _prove(self, layout: Layout) -> Proof:
        subprocess.run([layout.python, "-I", "-B", "-c", "import six"], check=True)
        return Proof(self.lock.digest, VERSION, "here", "", "2026-01-01T00:00:00Z", "import six", 0.1)

    @property
    def builds(self) -> list[str]:
        """Why each build so far was made."""
        try:
            return (self.home / "builds").read_text().splitlines()
        except FileNotFoundError:
            return []

    def building(self, environment: str, why: str) -> None:
        with (self.home / "builds").open("a") as builds:
            builds.write(f"{environment}: {why}\n")

    def waiting(self, environment: str, holder: str) -> None:
        pass


def lock_of(cache: Path, *requirements: str, python: str = PYTHON) -> Lock:
    """A lock, resolved at most once for all tests that share a cache."""
    kept = cache.parent / f"{'+'.join(sorted(requirements))}-{python}.txt"
    if not kept.exists():
        lock = resolve(
            LockRequest("tiny", "1", python, requirements),
            cut_off=CUT_OFF,
            uv=UvSetup(find_uv(), installer_variables(os.environ), cache),
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(lock.text())
    return read_lock(kept)


def in_child(work: Callable[[], object], *, after: Callable[[], object] = lambda: None) -> int:
    """Start `work` in a process of its own, in a group of its own; gives back its id. Exit code 0 if nothing raised."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        after()
        work()
        code = 0
    finally:
        os._exit(code)


def descendants(process: int) -> list[int]:
    """The processes that a process has started and that live, with those that they started."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return children + [grandchild for child in children for grandchild in descendants(child)]


def kill_all(process: int) -> None:
    """SIGKILL to a process, everything that it started, and their groups."""
    for each in (process, *descendants(process)):
        try:
            os.killpg(each, signal.SIGKILL)
        except ProcessLookupError:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
