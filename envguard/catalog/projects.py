"""The catalog of a run: what envguard ships, and after it what the project at hand brings in its `envguard.toml`."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import Catalog
from envguard.catalog.reading import read_catalog
from envguard.catalog.shipped import builtin_catalog
from envguard.errors import BadInput

PROJECT_FILE = "envguard.toml"
PROJECT_VARIABLE = "ENVGUARD_PROJECT"


def load_catalog(cwd: Path, environ: Mapping[str, str]) -> Catalog:
    """The built-in catalog with the project's after it, if there is a project.

    Raises BrokenData where the project's file is not a catalog, and BadInput where it must not be trusted or is not
    where `ENVGUARD_PROJECT` says.
    """
    file = find_project(cwd, environ)
    if file is None:
        return builtin_catalog()
    catalog = read_catalog(file, lockfiles=file.parent / "lockfiles", base=builtin_catalog())
    return dataclasses.replace(catalog, project=file.parent)


def find_project(cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """The `envguard.toml` of the folder that `ENVGUARD_PROJECT` names, else of the nearest folder upwards from `cwd`.

    The search ends at the user's home folder, or with the file system. What it finds must be the user's own: such a
    file names commands, and somebody else may have put it into a folder that all can write to. A folder that is named
    is taken as it is.
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
        pass  # a folder that cannot be looked into has no project for this user
    return None


def _named(folder: Path) -> Path:
    file = folder if folder.name == PROJECT_FILE else folder / PROJECT_FILE
    if not file.is_file():
        raise BadInput(
            f"There is no project in {folder}.",
            why=f"it has no file {PROJECT_FILE}",
            next_step=f"Name another folder with --project or {PROJECT_VARIABLE}.",
        )
    return file


def _refuse_strangers(file: Path, environ: Mapping[str, str]) -> None:
    """Refuse a file that somebody else owns or can write to; on Windows, whose rights are others, none."""
    if os.name == "nt":
        return
    why = _why_not_trusted(file, environ)
    if why:
        raise BadInput(
            f"The project file {file} is not used.",
            why=f"{why}, and it names commands to run",
            next_step=f"If you trust it, name its folder: --project {file.parent} or {PROJECT_VARIABLE}.",
        )


def _why_not_trusted(file: Path, environ: Mapping[str, str]) -> str:
    facts, folder = file.stat(), file.parent.stat()
    mine = {0, os.geteuid()}
    if os.geteuid() == 0 and environ.get("SUDO_UID", "").isdecimal():
        mine.add(int(environ["SUDO_UID"]))
    if facts.st_uid not in mine:
        return "it belongs to another user"
    if facts.st_mode & stat.S_IWOTH:
        return "every user can write to it"
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        return "every user can put another in its place"
    return ""
