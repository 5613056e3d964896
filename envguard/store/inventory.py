"""List the store: each environment, its size on disk, when it was built and last used, and whether it is ready."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from envguard.store.environments import read_ready
from envguard.store.fingerprint import MARKER
from envguard.store.home import environments_folder
from envguard.store.identity import Identity
from envguard.store.marker import read_marker
from envguard.store.usage import last_used

ENVIRONMENT_FOLDER = re.compile(r"(?P<name>.+)-cp\d{2,3}-[0-9a-f]{16}")
_BLOCK = 512  # POSIX: the unit of st_blocks, whatever the file system's own is


@dataclass(frozen=True, slots=True)
class StoredEnvironment:
    """A folder of the store that is, or was meant to become, an environment.

    `identity` is None if the marker does not tell; `built` is RFC 3339 in UTC or empty; `used` is in seconds since the
    epoch; `why_not` says why it is not ready, and is empty if it is; `bytes` is its size on disk.
    """

    folder: Path
    identity: Identity | None
    built: str
    used: float
    bytes: int
    why_not: str

    @property
    def name(self) -> str:
        """The environment's name if it is known, or else the folder's."""
        return self.identity.environment if self.identity else self.folder.name

    def as_json(self) -> dict[str, object]:
        """The environment for `--json`."""
        identity = self.identity
        return {
            "name": self.name,
            "edition": identity.edition if identity else None,
            "python": identity.python_version if identity else None,
            "interpreter": identity.interpreter if identity else None,
            "lock": identity.lock if identity else None,
            "folder": str(self.folder),
            "bytes": self.bytes,
            "built": self.built or None,
            "last_used": moment(self.used),
            "ready": not self.why_not,
            "why": self.why_not,
        }


def inventory(home: Path) -> tuple[StoredEnvironment, ...]:
    """Every environment in the store, sorted by folder name."""
    return tuple(_stored(folder) for folder in environment_folders(home))


def environment_folders(home: Path) -> list[Path]:
    """The folders named like environments; links are not ours and are left alone."""
    return [folder for folder in _folders(environments_folder(home)) if ENVIRONMENT_FOLDER.fullmatch(folder.name)]


def name_of(folder: Path) -> str:
    """The name of the environment in a folder if it is known, or else the folder's."""
    try:
        return read_marker(folder).identity.environment
    except (OSError, ValueError):
        return folder.name


def goes_by(folder: Path, name: str) -> bool:
    """Whether `name` means the environment in that folder; for a damaged one, the folder's name decides."""
    known = name_of(folder)
    return name in (known, folder.name) or (known == folder.name and folder.name.startswith(f"{name}-"))


def disk_bytes(places: Iterable[Path]) -> int:
    """The size of files and folders on disk, in bytes: allocated blocks, hard-linked files once, no links followed."""
    seen: set[tuple[int, int]] = set()
    total = 0
    pending = [str(place) for place in places]
    while pending:
        path = pending.pop()
        with contextlib.suppress(OSError):  # another process removed it in the meantime, or it is not ours to read
            found = os.lstat(path)
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            total += _allocated(found)
            if stat.S_ISDIR(found.st_mode):
                with os.scandir(path) as entries:
                    pending.extend(entry.path for entry in entries)
    return total


def _allocated(found: os.stat_result) -> int:
    """Windows tells a file's size alone."""
    if sys.platform == "win32":
        return found.st_size
    return found.st_blocks * _BLOCK


def moment(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
    except FileNotFoundError:
        return []


def _stored(folder: Path) -> StoredEnvironment:
    identity, built, why = None, "", ""
    try:
        marker = read_marker(folder)
        identity, built = marker.identity, marker.proof.date
    except FileNotFoundError:
        why = "an earlier build did not finish"
    except (OSError, ValueError):
        why = "its marker is damaged"
    if identity is not None:
        why = read_ready(folder, identity)[1]
        if identity.folder_name != folder.name:
            why = "it is in the folder of another environment"
    return StoredEnvironment(folder, identity, built, _last_used(folder), disk_bytes([folder]), why)


def _last_used(folder: Path) -> float:
    used = last_used(folder)
    if used is not None:
        return used
    marker = folder / MARKER
    return (marker if marker.exists() else folder).stat().st_mtime
