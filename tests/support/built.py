"""A folder that looks like an environment, built through the store: for tests of what happens around it."""

from __future__ import annotations

from pathlib import Path

from envguard.errors import NoEnvironment
from envguard.layout import Layout
from envguard.locks.proofs import Proof
from envguard.store.environments import BuiltEnvironment, ensure
from envguard.store.identity import Identity

IDENTITY = Identity(
    environment="tools",
    edition="1",
    lock="a" * 64,
    interpreter="/pythons/3.11",
    python_version="3.11.7",
    python_build="main",
    platform="linux-x86_64",
    backend="venv",
)
PROOF = Proof("a" * 64, "3.11.7", "linux-x86_64", "glibc 2.36", "2026-01-01T00:00:00Z", "checks.imports", 0.1)


class Builder:
    """Builds a folder that looks like an environment and remembers how often it was asked."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.proves = True

    def build(self, folder: Path, descriptors: tuple[int, ...]) -> Layout:
        assert descriptors
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").write_text("")
        (folder / "site").mkdir()
        return Layout(folder / "bin" / "python", folder / "site")

    def prove(self, layout: Layout) -> Proof:
        assert layout.python.exists()
        if not self.proves:
            raise NoEnvironment("It does not work.")
        return PROOF

    def building(self, environment: str, why: str) -> None:
        assert environment
        self.reasons.append(why)

    def waiting(self, environment: str, holder: str) -> None:
        raise AssertionError(f"{environment} is held by {holder}")

    def ensure(self, home: Path) -> BuiltEnvironment:
        return ensure(home, IDENTITY, build=self.build, prove=self.prove, watcher=self)
