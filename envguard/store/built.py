"""The wheels that were built here, each in a folder of its hash, and the sdists that they were built from.

A record for each build tells which wheel came of what, so that a lock that is made again needs no other build.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

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
    return path if path.is_file() and file_facts(path).sha256 == sha256 else None


def keep_wheel(home: Path, wheel: Path) -> Path:
    """Put a wheel there, whole or not at all."""
    path = built_wheels_folder(home) / file_facts(wheel).sha256 / wheel.name
    write_record(path, wheel.read_bytes())
    return path


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
