"""What an installation needs to know: the tool's variables, its cache, where packages come from, whom to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.backends.uv_words import Tell, tell_nobody
from envguard.locks.lockfile import Lock, LockedPackage
from envguard.stalling import PATIENCE


@dataclass(frozen=True, slots=True)
class Installer:
    """How locks are installed: uv's binary, its variables, a cache, and the folder for logs.

    Without `uv`, virtualenv and pip do it, to the same files. The `variables` are under uv's names for both.
    With `find_links`, folders of wheels replace the package index; with `offline`, no network is used. `tell` is told
    how far an installation has got; one for which nothing comes for `patience` seconds is ended. `passed_by` is told
    why uv does not install, where that shows only then. `npm_variables` are those that npm sees.
    With `one_by_one`, packages are installed in the order of their names, since they may have files in common.
    `own` are wheels that no index has; among them those of `own_packages`, which are installed besides the lock's.
    """

    uv: Path | None
    variables: Mapping[str, str]
    cache: Path
    logs: Path
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    tell: Tell = tell_nobody
    passed_by: Callable[[str], None] = lambda why: None
    patience: float = PATIENCE
    npm_variables: Mapping[str, str] = field(default_factory=dict)
    one_by_one: bool = False
    own: tuple[Path, ...] = ()
    own_packages: tuple[LockedPackage, ...] = ()

    @property
    def wheelhouses(self) -> list[str | Path]:
        """The arguments that name folders of wheels; pip and uv spell them alike."""
        arguments: list[str | Path] = ["--no-index"] if self.find_links else []
        for folder in self.find_links:
            arguments += ["--find-links", folder]
        return arguments


@dataclass(frozen=True, slots=True)
class Job:
    """One lock to install below `folder`; the processes that do it inherit the `descriptors`.

    `file` is the name that the lock has there. Bytecode is only compiled with `compiles`.
    """

    lock: Lock
    folder: Path
    installer: Installer
    descriptors: tuple[int, ...] = ()
    file: str = "lock.txt"
    compiles: bool = True

    @property
    def requirements(self) -> Path:
        """The lock as a file, which `write` puts there."""
        return self.folder / self.file

    def write(self) -> None:
        """Make the folder, with the lock in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.requirements.write_text(self.lock.text(), encoding="utf-8")
