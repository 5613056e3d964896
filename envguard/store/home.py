"""Where envguard keeps what it builds, and the folders inside."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from envguard.errors import BadInput
from envguard.ownership import owners, stranger

# What a user with the right to write there could plant: environments, records of them, wheels, probed interpreters.
FOLDERS = (
    "environments",
    "shortcuts",
    "uv-cache",
    "interpreters",
    "runs",
    "logs",
    "owners",
    "pythons",
    "wheels",
    "sdists",
    "builds",
    "links",
    "steps",
)


def envguard_home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of everything envguard builds: `ENVGUARD_HOME`, or else the user's cache folder.

    Raises BadInput if somebody else could put something there: what lies in the store is run.
    """
    variables = os.environ if environ is None else environ
    home = _home(variables)
    _refuse_no_folder(home)
    mine = owners(variables)
    why = stranger(str(home), mine)
    if not why:
        _claim(home)
        why = next(filter(None, (stranger(str(home / each), mine, shared=False) for each in FOLDERS)), "")
    if why:
        raise BadInput(
            f"The store {home} was ignored.",
            why=f"{why}, and what lies there is run",
            next_step="Set ENVGUARD_HOME to a folder of your own, or see to it that only you can write to this one: "
            f"chmod -R go-w {shlex.quote(str(home))}",
        )
    return home


def _claim(home: Path) -> None:
    """In a folder where all may write but only owners may delete, make what others could otherwise make first."""
    with contextlib.suppress(OSError):
        if home.stat().st_mode & stat.S_IWOTH:
            for each in FOLDERS:
                (home / each).mkdir(exist_ok=True)


def _refuse_no_folder(home: Path) -> None:
    """Refuse a store that is, or lies below, something that is no folder."""
    there = next((place for place in (home, *home.parents) if os.path.lexists(place)), home)
    if os.path.lexists(there) and not there.is_dir():
        raise BadInput(
            f"The store {home} cannot be used.",
            why=f"{there} is not a folder",
            next_step="Set ENVGUARD_HOME to a folder of your own, or to one that does not exist yet.",
        )


def _home(variables: Mapping[str, str]) -> Path:
    named = variables.get("ENVGUARD_HOME")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path  # not needed for a warm start with ENVGUARD_HOME

    return user_cache_path("envguard", appauthor=False)


def environments_folder(home: Path) -> Path:
    """One folder per built environment, each with its lock file next to it."""
    return home / "environments"


def installer_cache(home: Path) -> Path:
    """A uv cache of our own, so that damage to the user's shared cache cannot reach our environments."""
    return home / "uv-cache"


def probe_cache(home: Path) -> Path:
    """Cached answers of the interpreters on this host."""
    return home / "interpreters"


def pythons_folder(home: Path) -> Path:
    """The Pythons that were fetched, each in a folder of its own."""
    return home / "pythons"


def process_marks_folder(home: Path) -> Path:
    """One lock file for each process that runs containers."""
    return home / "owners"
