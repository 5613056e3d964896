"""The catalog of a run: what envguard ships, followed by the `envguard.toml` of the current project."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import Catalog, Environment
from envguard.catalog.reading import read_catalog
from envguard.catalog.shipped import builtin_catalog
from envguard.errors import BadInput
from envguard.ownership import owners, stranger
from envguard.table_reader import unknown_name

PROJECT_FILE = "envguard.toml"
PROJECT_VARIABLE = "ENVGUARD_PROJECT"


def load_catalog(cwd: Path, environ: Mapping[str, str]) -> Catalog:
    """The built-in catalog, followed by the project's if there is a project.

    Raises BrokenData if the project's file is not a valid catalog, and BadInput if it cannot be trusted or is not where
    `ENVGUARD_PROJECT` says.
    """
    file = find_project(cwd, environ)
    if file is None:
        return builtin_catalog()
    catalog = read_catalog(file, lockfiles=file.parent / "lockfiles", base=builtin_catalog())
    return dataclasses.replace(catalog, project=file.parent)


def own_first(catalog: Catalog) -> list[str]:
    """The names of the environments: the project's own before those that every project has."""
    return sorted(catalog.environments, key=lambda name: catalog.environments[name].folder != catalog.project)


def named_environment(catalog: Catalog, name: str) -> Environment:
    """The environment of that name; raises BadInput with the near one if there is none."""
    if name not in catalog.environments:
        raise unknown_name("There is no environment", name, own_first(catalog))
    return catalog.environments[name]


def find_project(cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """The `envguard.toml` in the folder that `ENVGUARD_PROJECT` names, or else in the nearest folder up from `cwd`.

    The search stops at the user's home folder and at the edge of the file system. What it finds must be the user's own:
    the file names commands, and somebody else may have put it in a folder that everybody can write to. A folder that
    the user named is trusted.
    """
    named = environ.get(PROJECT_VARIABLE)
    if named:
        return _named(Path(named).expanduser().absolute())
    file = _nearest(cwd.absolute(), Path(environ.get("HOME") or "~").expanduser())
    if file is not None:
        _refuse_strangers(file, environ)
    return file


def _nearest(here: Path, home: Path) -> Path | None:
    try:
        device = here.stat().st_dev
        for folder in (here, *here.parents):
            if folder.stat().st_dev != device:
                return None
            if (folder / PROJECT_FILE).is_file():
                return folder / PROJECT_FILE
            if folder == home:
                return None
    except PermissionError:
        pass  # a folder that this user cannot read holds no project for them
    return None


def _named(folder: Path) -> Path:
    file = folder if folder.name == PROJECT_FILE else folder / PROJECT_FILE
    if not file.is_file():
        raise BadInput(
            f"There is no project in {folder}.",
            why=f"the folder has no {PROJECT_FILE}",
            next_step=f"Name another folder with --project or {PROJECT_VARIABLE}.",
        )
    return file


def _refuse_strangers(file: Path, environ: Mapping[str, str]) -> None:
    """Refuse a file that somebody else can change or replace: itself, what it leads to, or a folder on the way.

    Not on Windows, where permissions work differently.
    """
    mine = owners(environ)
    why = stranger(str(file), mine) or stranger(str(file.parent), mine)
    if why:
        raise BadInput(
            f"The project file {file} was ignored.",
            why=f"{why}, and it names commands to run",
            next_step=f"If you trust its owner, name its folder: --project {file.parent} or {PROJECT_VARIABLE}.",
        )
