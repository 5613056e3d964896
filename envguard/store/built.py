"""The wheels that were built here, each in a folder of its hash, and the sdists that they were built from."""

from __future__ import annotations

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
