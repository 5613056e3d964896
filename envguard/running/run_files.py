"""The files of one run on their way from step to step: each known by its hash, none writable by its readers."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.errors import StepFailed
from envguard.files import CHUNK, FileFacts, FolderFacts, facts_of, file_facts, files_below, folder_facts
from envguard.payload.contract import Reference
from envguard.system.moving import replace

READ_ONLY = 0o444
EXECUTABLE = 0o111


@dataclass(slots=True)
class RunFiles:
    """Files by the reference that stands for them; what comes from outside is copied, so that no step can change it."""

    folder: Path
    _files: dict[Reference, tuple[FileFacts, ...]] = field(default_factory=dict)
    _places: int = 0

    def __contains__(self, reference: Reference) -> bool:
        return reference in self._files

    def __getitem__(self, reference: Reference) -> tuple[FileFacts, ...]:
        return self._files[reference]

    def take(self, reference: Reference, files: Mapping[str, Path]) -> None:
        """Copy files and folders of the host, under the given names; raises BadInput for what no folder may hold."""
        place = self._place()
        self._files[reference] = tuple(copy_of(source, place / name) for name, source in files.items())

    def add(self, reference: Reference, path: Path) -> FileFacts:
        """Keep a file or folder that a step made; it is moved away from where the step can reach it."""
        target = self._place() / path.name
        replace(path, target)
        for each in files_below(target) if target.is_dir() else (target,):
            each.chmod(READ_ONLY | (each.stat().st_mode & EXECUTABLE))
        facts = facts_of(target)
        self._files[reference] = (facts,)
        return facts

    def made_by(self, step: str) -> tuple[Reference, ...]:
        """The references of what a step made."""
        return tuple(reference for reference in self._files if reference.step == step)

    def forget(self, steps: Collection[str]) -> None:
        """Take away what these steps made."""
        self._files = {each: facts for each, facts in self._files.items() if each.step not in steps}

    def hand_out(self, reference: Reference, folder: Path) -> tuple[Path, ...]:
        """The files of a reference under their names in a folder, which is made, without copying where links can be."""
        folder.mkdir(parents=True)
        paths = []
        for facts in self._files[reference]:
            path = folder / facts.path.name
            for each in facts.files if isinstance(facts, FolderFacts) else (facts,):
                _link(each.path, path / each.path.relative_to(facts.path))
            if isinstance(facts, FolderFacts):
                path.mkdir(exist_ok=True)
            paths.append(path)
        return tuple(paths)

    def _place(self) -> Path:
        place = self.folder / str(self._places)
        self._places += 1
        place.mkdir(parents=True)
        return place


class Watch:
    """Says afterwards which files were written to, reading again only those that were touched at all.

    `files` are known by their paths; of a folder, those that it had are watched, and nobody minds what is put beside.
    """

    def __init__(self, files: Mapping[Path, FileFacts]) -> None:
        known: dict[Path, str] = {}
        for path, facts in files.items():
            for each in facts.files if isinstance(facts, FolderFacts) else (facts,):
                known[path / each.path.relative_to(facts.path)] = each.sha256
        self._files = {path: (_signature(path), sha256) for path, sha256 in known.items()}

    def changed(self) -> tuple[Path, ...]:
        """The files whose content is no longer what it was, or that are gone."""
        found = []
        for path, (signature, sha256) in self._files.items():
            with contextlib.suppress(OSError):
                if _signature(path) == signature or file_facts(path).sha256 == sha256:
                    continue
            found.append(path)
        return tuple(found)


def made_inside(folder: Path, file: str) -> Path:
    """A file or folder that a step made, which must lie in its scratch folder: a step may be fed with anything."""
    path = (folder / file).resolve()
    is_there = path.is_dir() if file.endswith("/") else path.is_file()
    if not path.is_relative_to(folder.resolve()) or not is_there:
        raise StepFailed(
            f"A step handed on {file!r}, which is not in its folder.",
            next_step="Run again with --debug and report it with `envguard report-bug`.",
        )
    return path


def _signature(path: Path) -> tuple[int, ...]:
    """What the system changes with every write, and no program can set back (the change time)."""
    facts = path.stat()
    return (facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _link(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.hardlink_to(source)
    except OSError:
        copy_of(source, path)


def copy_of(source: Path, target: Path) -> FileFacts:
    """Copy a file or a folder and identify it, in one reading; nobody can write to the copy."""
    if not source.is_dir():
        return _copy(source, target)
    target.mkdir()
    copies = []
    for path in files_below(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copies.append(_copy(path, copy))
    return folder_facts(target, copies)


def _copy(source: Path, target: Path) -> FileFacts:
    """Copy and hash in one reading. Scratch need not survive a power cut, so nothing is synced."""
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as original, target.open("xb") as copy:
        while chunk := original.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            copy.write(chunk)
    target.chmod(READ_ONLY | (source.stat().st_mode & EXECUTABLE))
    return FileFacts(target, size, digest.hexdigest())
