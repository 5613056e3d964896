"""Where a package of a project's own is built: a clean copy of its sources beside the tools of the lock."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.building.source import BuildSystem, build_system_of
from envguard.backends.building.wheels import EPOCH, Yard, why_not_shut_in
from envguard.backends.installing import build_venv
from envguard.catalog.own_sources import digest_of, settled_in, sources_in
from envguard.errors import NoEnvironment
from envguard.host.interpreters import Interpreter
from envguard.locks.lockfile import Lock
from envguard.planning import best_interpreter
from envguard.running.environments.building import Builder
from envguard.store.scratch import runs_folder, scratch_folder

COPY = "checkout"


@dataclass(frozen=True, slots=True)
class Shed:
    """A yard for one build of the package that errors call `name`, and what builds it."""

    name: str
    yard: Yard
    system: BuildSystem

    def digest(self, *, editable: bool) -> str:
        """The hash over the copied sources, or over those that an editable installation does not read in place."""
        copy = self.yard.project
        return digest_of(copy, settled_in(copy) if editable else sources_in(copy))


@contextlib.contextmanager
def shed_for(builder: Builder, name: str, source: Path, python: Interpreter, tools: Lock) -> Iterator[Shed]:
    """A place to build a package once; it is gone after the block."""
    with scratch_folder(runs_folder(builder.home)) as folder:
        copy = folder / COPY
        copy_sources(source, copy)
        system = build_system_of(copy, name)
        made_with = build_venv(folder, python.real_path, tools, builder.installer).python
        yield Shed(name, Yard(folder, copy, made_with, builder.environ), system)


def copy_sources(source: Path, target: Path) -> None:
    """Copy what belongs to a package, with settled times and rights; raises NoEnvironment."""
    try:
        target.mkdir(parents=True)
        for file in sources_in(source):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copy.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
            os.utime(copy, (int(EPOCH), int(EPOCH)))
    except (OSError, ValueError) as error:
        raise NoEnvironment(
            f"The package in {source} cannot be copied to be built.",
            why=str(error),
            next_step="Check its files and their rights, and the disk.",
        ) from error


def python_for(builder: Builder, minor: str, name: str) -> Interpreter:
    """The Python that a package is built for; raises NoEnvironment."""
    found = best_interpreter(builder.host().interpreters, minor)
    if found is None:
        raise NoEnvironment(
            f"The package {name} cannot be built.",
            why=f"it is for Python {minor}, which this host does not have",
            next_step=f"Install Python {minor}, or take it from the `pythons` of the environment in the catalog.",
        )
    return found


def say(builder: Builder, name: str, what: str) -> None:
    """Tell that a package is built, and why that may need care."""
    why = why_not_shut_in()
    builder.announce(
        name, f"{what}{f'; it is not kept from the network and from your files, because {why}' if why else ''}"
    )
