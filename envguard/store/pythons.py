"""The Pythons that were fetched into the store: which there are, and which environments stand on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envguard.host.locations import FETCHED
from envguard.store.home import pythons_folder
from envguard.store.inventory import disk_bytes, environment_folders
from envguard.store.locking import build_lock_if_free
from envguard.store.marker import read_marker

FETCHING_LOCK = "fetching.lock"
UNUSED_AGE = 24 * 3600.0  # an environment may be about to be built on it


@dataclass(frozen=True, slots=True)
class StoredPython:
    """A fetched Python's folder, its size on disk in bytes, and the names of the environments built on it."""

    folder: Path
    bytes: int
    environments: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The Python for `--json`."""
        return {"folder": str(self.folder), "bytes": self.bytes, "environments": list(self.environments)}


def stored_pythons(home: Path) -> tuple[StoredPython, ...]:
    """Every Python that was fetched whole, sorted by folder name."""
    stand_on = list(_environments(home))
    return tuple(
        StoredPython(
            folder,
            disk_bytes([folder]),
            tuple(name for name, interpreter in stand_on if interpreter.is_relative_to(folder)),
        )
        for folder in _folders(home)
        if (folder / FETCHED).exists()
    )


def useless_pythons(home: Path) -> Iterator[tuple[Path, str]]:
    """What may be removed, and why: unfinished ones, and those that no environment has needed for a day."""
    if not pythons_folder(home).is_dir():
        return
    with build_lock_if_free(pythons_folder(home) / FETCHING_LOCK) as free:
        if free:
            for folder in _folders(home):
                if not (folder / FETCHED).exists():
                    yield folder, "it was not fetched to the end"
    for each in stored_pythons(home):
        if not each.environments and time.time() - (each.folder / FETCHED).stat().st_mtime > UNUSED_AGE:
            yield each.folder, "no environment is built on it, and it can be fetched again"


def _folders(home: Path) -> list[Path]:
    try:
        found = sorted(pythons_folder(home).iterdir())
    except FileNotFoundError:
        return []
    return [each for each in found if each.is_dir() and not each.is_symlink()]


def _environments(home: Path) -> Iterator[tuple[str, Path]]:
    """The name of each environment, ready or not, and its interpreter; damaged markers tell of none."""
    for folder in environment_folders(home):
        try:
            identity = read_marker(folder).identity
        except (OSError, ValueError):
            continue
        yield identity.environment, Path(identity.interpreter)
