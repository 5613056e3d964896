"""Packages of a project's own that its environments install: where they are, and what they say of themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from envguard.requirement import OwnPackage, written
from envguard.toml import parse_toml

HERE = "."
PYPROJECT, SETUP = "pyproject.toml", "setup.py"
LARGEST = 1_000_000
USUAL_REQUIRES = ["setuptools", "wheel"]  # PEP 517: of a project that does not say
# By names none of which is hidden or leads out of the project.
PLACE = re.compile(r"\.|[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")


def own_packages_in(folder: Path) -> Callable[[object], tuple[OwnPackage, ...]]:
    """A reader of `project`: true for the project's folder itself, or the paths of folders below it."""

    def read(value: object) -> tuple[OwnPackage, ...]:
        paths = [HERE] if value is True else [] if value is False else [value] if isinstance(value, str) else value
        if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
            raise ValueError("must be true, a path, or a list of paths")
        return tuple(_read(folder, each) for each in dict.fromkeys(paths))

    return read


def settings_of(folder: Path) -> Mapping[str, object]:
    """The pyproject.toml of a folder, empty if there is only a setup.py; raises ValueError if there is neither."""
    path = folder / PYPROJECT
    try:
        if not path.is_file():
            if (folder / SETUP).is_file():
                return {}
            raise ValueError(f"there is no {PYPROJECT} in it")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ValueError(f"its {PYPROJECT} is larger than {LARGEST:,} bytes")
        return parse_toml(raw.decode("utf-8"))
    except OSError as error:
        raise ValueError(f"its {PYPROJECT} cannot be read: {error}") from error


def _read(folder: Path, path: str) -> OwnPackage:
    if not PLACE.fullmatch(path) or not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"has {path[:80]!r}, which leads out of the project's folder, where nothing is trusted with it"
        )
    try:
        return package_of(settings_of(folder / path), path)
    except ValueError as error:
        raise ValueError(f"has {path!r}, and {error}") from error


def package_of(settings: Mapping[str, object], path: str) -> OwnPackage:
    """What a pyproject.toml says of its package; raises ValueError for what cannot be in one."""
    project, system = _table(settings, "project"), _table(settings, "build-system")
    dynamic = not project or "dependencies" in _texts(project, "dynamic", [])
    python = project.get("requires-python", "")
    name = project.get("name", "")
    if not isinstance(name, str) or not isinstance(python, str):
        raise ValueError("the name or requires-python in [project] is no text")
    try:
        SpecifierSet(python)
    except InvalidSpecifier as error:
        raise ValueError(f"its requires-python is none: {error}") from error
    return OwnPackage(
        path,
        canonicalize_name(name),
        None if dynamic else tuple(map(written, _texts(project, "dependencies", []))),
        tuple(map(written, _texts(system, "requires", USUAL_REQUIRES))),
        python,
    )


def _table(values: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = values.get(key, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"its [{key}] is no table")
    return found


def _texts(table: Mapping[str, object], key: str, default: list[str]) -> list[str]:
    found = table.get(key, default)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"its {key} is no list of texts")
    return found
