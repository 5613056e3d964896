"""What is in an sdist: its files, unpacked where they belong, and what its project says builds it."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import BrokenData
from envguard.requirement import written
from envguard.toml import parse_toml

# PEP 517: what builds a project that does not say.
USUAL_BACKEND, USUAL_REQUIRES = "setuptools.build_meta:__legacy__", ("setuptools", "wheel")
LARGEST_SETTINGS = 1_000_000


@dataclass(frozen=True, slots=True)
class BuildSystem:
    """What builds a project: its backend, where in the project that may lie, and what it requires (PEP 508)."""

    backend: str = USUAL_BACKEND
    paths: tuple[str, ...] = ()
    requires: tuple[str, ...] = USUAL_REQUIRES


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an sdist into a new folder; gives back the one folder in it. Raises BrokenData if it is none."""
    folder.mkdir()
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        else:
            with tarfile.open(archive) as packed_tar:
                # Nothing gets outside the folder, and no file gets rights that it should not have.
                packed_tar.extractall(folder, filter="data")
        (found,) = (each for each in folder.iterdir() if each.is_dir())
    except (OSError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise _broken(archive.name, str(error)) from error
    return found


def build_system_of(project: Path, name: str) -> BuildSystem:
    """What builds the project of that folder; `name` is what errors call it. Raises BrokenData."""
    path = project / "pyproject.toml"
    if not path.is_file():
        return BuildSystem()
    try:
        if path.stat().st_size > LARGEST_SETTINGS:
            raise ValueError(f"it is larger than {LARGEST_SETTINGS:,} bytes")
        table = parse_toml(path.read_text(encoding="utf-8")).get("build-system")
        if table is None:
            return BuildSystem()
        if not isinstance(table, Mapping):
            raise ValueError("build-system is no table")
        backend = table.get("build-backend", USUAL_BACKEND)
        if not isinstance(backend, str):
            raise ValueError("build-backend is no text")
        return BuildSystem(backend, _texts(table, "backend-path"), tuple(map(written, _texts(table, "requires"))))
    except (OSError, ValueError) as error:
        raise _broken(name, f"its pyproject.toml cannot be used: {error}") from error


def _texts(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError(f"{key} is no list of texts")
    return tuple(values)


def _broken(name: str, why: str) -> BrokenData:
    return BrokenData(
        f"{name} cannot be built.", why=why, next_step="Use another version of it, or one that has wheels."
    )
