"""What a project would run and read, as content: its catalog, its locks, and the files that steps and checks name."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.catalog.model import Catalog, CommandStep, Environment, Task
from envguard.catalog.own_sources import sources_in
from envguard.catalog.projects import PROJECT_FILE
from envguard.catalog.scripts import script_of
from envguard.code_files import code_beside
from envguard.errors import BadInput
from envguard.files import file_facts, files_below
from envguard.locks.lockfile import lock_path
from envguard.ownership import owners, stranger
from envguard.payload.door.references import FILE

LARGEST_TEXT = 100_000
MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file by its SHA-256 in hex; `facts` change whenever it is written to, so that it need not be read again."""

    sha256: str
    facts: str


Content = Mapping[str, FileContent]
"""By path from the project's folder, with forward slashes."""


def content_of(catalog: Catalog, known: Content) -> Content:
    """The content of a catalog's project; a file whose facts are those of the `known` one is not read again.

    Raises BadInput for a file that cannot be read, for one that somebody else can change (in a project of the user's
    own), and for a project of too many.
    """
    project = catalog.project
    assert project is not None
    found: dict[str, FileContent] = {}
    mine = owners(os.environ)
    own = not stranger(str(project), mine)
    folders: set[Path] = set()
    try:
        for path in _files(catalog, project):
            name = Path(os.path.relpath(path, project)).as_posix()
            if name not in found:
                found[name] = _content(path, known.get(name))
                if own and (path.parent not in folders or path.is_symlink() or _is_open(path, mine)):
                    _refuse_strangers(path, mine)
                    folders.add(path.parent)
            if len(found) > MOST_FILES:
                raise BadInput(
                    f"The project {project} has more than {MOST_FILES:,} files of code.",
                    why="every one of them would have to be read before a command of it runs",
                    next_step="Put the scripts of its steps and checks into a folder of their own.",
                )
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The project {project} cannot be read.", why=str(error), next_step="Check the file and its permissions."
        ) from error
    return found


def _is_open(path: Path, mine: Collection[int]) -> bool:
    found = path.stat()
    return os.name != "nt" and (found.st_uid not in mine or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) != 0)


def _refuse_strangers(path: Path, mine: Collection[int]) -> None:
    why = stranger(str(path), mine)
    if why:
        raise BadInput(
            f"The project's file {path} was refused.",
            why=f"{why}, and the project runs or reads it",
            next_step="Put a file of your own there, or see to it that only you can write to it.",
        )


def file_content(path: Path) -> FileContent:
    """The content of a file that exists."""
    return _content(path, None)


def _content(path: Path, known: FileContent | None) -> FileContent:
    found = path.stat()
    facts = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_dev}"
    return known if known is not None and known.facts == facts else FileContent(file_facts(path).sha256, facts)


def _files(catalog: Catalog, project: Path) -> Iterator[Path]:
    """Every file that counts and exists; a missing one is no danger, and new where it appears."""
    yield project / PROJECT_FILE
    commands: list[tuple[str, ...]] = []
    for environment in own_environments(catalog):
        commands.append(environment.check_command)
        paths = (
            lock_path(environment.lockfiles, environment.name, edition.name, python)
            for edition in environment.editions
            for python in edition.pythons
        )
        yield from filter(Path.is_file, paths)
        for package in environment.own:
            yield from sources_in(project / package.path)
    for task in own_tasks(catalog):
        for step in task.declared or task.steps:
            commands.append(step.command if isinstance(step, CommandStep) else ())
            named = [project / reference.name for reference in step.inputs.values() if reference.source == FILE]
            yield from filter(Path.is_file, named)
            for folder in filter(Path.is_dir, named):
                yield from files_below(folder)
    yield from filter(Path.is_file, (project / name for name in env_files(catalog)))
    walked: set[Path] = set()
    for script in filter(None, (script_of(command, project) for command in commands if command)):
        if script.is_file():
            yield from (script,) if script.parent in walked else code_beside(script, project)
            walked.add(script.parent)
    if catalog.index.certificates and Path(catalog.index.certificates).is_file():
        yield Path(catalog.index.certificates)


def env_files(catalog: Catalog) -> set[str]:
    """The files that steps of the project take variables from, which may hold secrets, as the catalog names them."""
    steps = [
        step for task in own_tasks(catalog) for step in task.declared or task.steps if isinstance(step, CommandStep)
    ]
    return {step.env_file for step in steps if step.env_file}


def own_environments(catalog: Catalog) -> list[Environment]:
    """The environments that the project itself defines."""
    return [each for each in catalog.environments.values() if catalog.project and each.folder == catalog.project]


def own_tasks(catalog: Catalog) -> list[Task]:
    """The tasks that the project itself defines."""
    return [each for each in catalog.tasks.values() if catalog.project and each.folder == catalog.project]
