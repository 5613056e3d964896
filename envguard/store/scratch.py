"""Where runs keep scratch files and logs: in the store, or where that is only to be read, in a place of the user's."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from envguard.errors import BadInput
from envguard.ownership import owners, stranger


def logs_folder(home: Path) -> Path:
    """What installers and steps printed."""
    return _own_part(home) / "logs"


def log_file(home: Path, name: str) -> Path:
    """The log of that name for this process, so that concurrent runs do not share one; creates its folder."""
    folder = logs_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}-{os.getpid()}.log"


def runs_folder(home: Path) -> Path:
    """Scratch folders of runs, removed when the run ends."""
    return _own_part(home) / "runs"


def _suffix() -> str:
    """What tells one user's folder from another's; Windows gives every user a folder for temporary files."""
    if sys.platform == "win32":
        return ""
    return f"-{os.geteuid()}"


def _own_part(home: Path) -> Path:
    """Where this user writes what the others need not see: the store, or for one that is only to be read another place.

    That is a folder in the system's folder for temporary files, for this user alone. Raises BadInput if it is not.
    """
    if not home.exists() or os.access(home, os.W_OK):
        return home
    folder = Path(tempfile.gettempdir(), f"envguard{_suffix()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        why = stranger(str(folder), owners(os.environ), shared=False)
    except OSError as error:
        why = str(error)
    if why:
        raise BadInput(
            f"The store {home} can only be read, and {folder} cannot be used for scratch files.",
            why=why,
            next_step="Set TMPDIR to a folder of your own.",
        )
    return folder


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A private folder for one run, removed when the run ends."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)
