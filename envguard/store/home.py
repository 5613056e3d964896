"""Where envguard keeps what it builds, and what lies where inside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def envguard_home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of everything envguard builds: `ENVGUARD_HOME`, else the user's cache folder."""
    named = (os.environ if environ is None else environ).get("ENVGUARD_HOME")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path  # imported here: the warm path with ENVGUARD_HOME needs none of it

    return user_cache_path("envguard", appauthor=False)


def environments_folder(home: Path) -> Path:
    """One folder per built environment, each with its lock file beside it."""
    return home / "environments"


def installer_cache(home: Path) -> Path:
    """uv's cache of our own: another tool's damage to the user's shared cache cannot reach our environments."""
    return home / "uv-cache"


def probe_cache(home: Path) -> Path:
    """What the interpreters of this host answered."""
    return home / "interpreters"


def logs_folder(home: Path) -> Path:
    """What installers and steps printed."""
    return home / "logs"


def log_file(home: Path, name: str) -> Path:
    """The log of that name for this process, so that two runs at a time do not write into one; its folder is made."""
    folder = logs_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}-{os.getpid()}.log"


def runs_folder(home: Path) -> Path:
    """Scratch folders of runs; each is removed when its run ends."""
    return home / "runs"


def process_marks_folder(home: Path) -> Path:
    """One lock file for each process that has containers."""
    return home / "owners"
