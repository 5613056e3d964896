"""The wheels that were built here, each in a folder of its hash, and the sdists that they were built from.

A record for each build tells which wheel came of what, so that a lock that is made again needs no other build.
The time of a file is when it was last used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from envguard.files import file_facts, write_record


def built_wheels_folder(home: Path) -> Path:
    """One folder per wheel."""
    return home / "wheels"


def sdists_folder(home: Path) -> Path:
    """One folder per sdist."""
    return home / "sdists"


def kept_wheel(home: Path, filename: str, sha256: str) -> Path | None:
    """A wheel that was built here before and is as it was then; every use reads it, as disks do err."""
    path = built_wheels_folder(home) / sha256 / filename
    if not path.is_file() or file_facts(path).sha256 != sha256:
        return None
    mark_used(path)
    return path


def keep_wheel(home: Path, wheel: Path) -> Path:
    """Put a wheel there, whole or not at all."""
    path = built_wheels_folder(home) / file_facts(wheel).sha256 / wheel.name
    write_record(path, wheel.read_bytes())
    return path


def mark_used(path: Path) -> None:
    """Remember that a file is used now; a store that is only to be read need not."""
    with suppress(OSError):
        os.utime(path)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is kept in a folder of its hash: last used in seconds since the epoch, its size in bytes."""

    kind: Literal["wheel", "sdist"]
    path: Path
    used: float
    bytes: int

    @property
    def sha256(self) -> str:
        """Its SHA-256 in hex."""
        return self.path.parent.name

    def as_json(self) -> dict[str, object]:
        """The file for `--json`."""
        return {"kind": self.kind, "path": str(self.path), "bytes": self.bytes}


def kept_files(home: Path) -> Iterator[KeptFile]:
    """Every wheel and every sdist that is kept."""
    folders: dict[Literal["wheel", "sdist"], Path] = {"wheel": built_wheels_folder(home), "sdist": sdists_folder(home)}
    for kind, folder in folders.items():
        for path in sorted(folder.glob("[0-9a-f]*/*")):
            with suppress(OSError):  # another process removed it in the meantime
                found = path.lstat()
                yield KeptFile(kind, path, found.st_mtime, found.st_size)


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """What a build's backend required besides (PEP 508), the digest of all that was there, and what came of it."""

    also: tuple[str, ...]
    tools: str
    wheel: str
    sha256: str


def builds_folder(home: Path) -> Path:
    """One record per build."""
    return home / "builds"


def write_build(home: Path, key: str, record: BuildRecord) -> None:
    """Remember a build by a digest of what it was made of."""
    write_record(builds_folder(home) / f"{key}.json", json.dumps(asdict(record)).encode())


def read_build(home: Path, key: str) -> BuildRecord | None:
    """The build of that digest; None if there is none, or no usable record of it."""
    with suppress(OSError, ValueError, TypeError):
        values = json.loads((builds_folder(home) / f"{key}.json").read_bytes())
        record = BuildRecord(tuple(values.pop("also")), **values)
        if all(isinstance(each, str) for each in (*record.also, record.tools, record.wheel, record.sha256)):
            return record
    return None


def useless_builds(home: Path) -> Iterator[Path]:
    """Records of builds whose wheel is no longer kept, and what is no record."""
    for path in sorted(builds_folder(home).glob("*.json")):
        record = read_build(home, path.stem)
        if record is None or not (built_wheels_folder(home) / record.sha256 / record.wheel).is_file():
            yield path
