"""A project that requires what is at an address, and a server that has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from envguard.locks.lockfile import Lock, lock_path, read_lock
from tests.support.command import Ended, envguard
from tests.support.local_index import Index
from tests.support.projects import trusted

CATALOG = """\
schema = 1

[environments.tools]
summary = "what is at an address"
pythons = ["{python}"]
check = "checks.imports"
check-options = {{ modules = ["ours"] }}

[environments.tools.editions.1]
requirements = {requirements}
"""
WHEEL = "ours-1.0-py3-none-any.whl"


@dataclass
class Server:
    """An index that also serves any other file of its folder, to those who know its certificate."""

    folder: Path
    index: Index
    python: str
    environ: dict[str, str] = field(default_factory=dict)

    def at(self, name: str) -> str:
        """The address of a file."""
        return f"https://{self.index.host}/files/{name}"


@dataclass
class Project:
    """A trusted project that requires something at an address."""

    folder: Path
    home: Path
    server: Server

    def requires(self, *requirements: str, trust: bool = True) -> None:
        """Write its catalog."""
        text = CATALOG.format(python=self.server.python, requirements=list(requirements))
        (self.folder / "envguard.toml").write_text(text, encoding="utf-8")
        if trust:
            trusted(self.folder)

    def run(self, *arguments: str | Path, **environ: str) -> Ended:
        return envguard(*arguments, home=self.home, cwd=self.folder, **{**self.server.environ, **environ})

    def locked(self) -> Lock:
        """Lock it, which must succeed."""
        ended = self.run("lock")
        assert ended.code == 0, ended.err
        return self.lock

    @property
    def lock(self) -> Lock:
        return read_lock(lock_path(self.folder / "lockfiles", "tools", "1", self.server.python))
