"""Rename and remove where others may look: Windows refuses both for a moment, or for good to what is read-only."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Done = TypeVar("Done")

# ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: somebody has the file open, often a virus scanner
# that looks at what was just written.
HELD_OPEN = (5, 32, 33)
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between tries, 1.6 in all."""


def replace(source: Path, target: Path) -> Path:
    """Rename a file or folder, over a file of that name if there is one; waits a moment if Windows says it is open."""
    return when_closed(lambda: source.replace(target))


def remove_tree(folder: Path, *, ignore_errors: bool = False) -> None:
    """Remove a folder with all in it, read-only files too; raises OSError unless errors are to be ignored."""
    if ignore_errors and sys.platform != "win32":
        shutil.rmtree(folder, ignore_errors=True)
    else:
        try:
            _remove(folder)
        except OSError:
            if not ignore_errors:
                raise
            shutil.rmtree(folder, ignore_errors=True)  # as much as can be


def when_closed(action: Callable[[], Done], wait: Callable[[float], None] = time.sleep) -> Done:
    """Do it, again for up to two seconds as long as Windows says that a file is open; raises OSError then."""
    for pause in PAUSES:
        try:
            return action()
        except PermissionError as error:
            if getattr(error, "winerror", None) not in HELD_OPEN:
                raise
            wait(pause)
    return action()


def make_writable_and_retry(function: Callable[[str], object], path: str, _error: object) -> None:
    """For `shutil.rmtree`: Windows removes nothing that is read-only, and nothing that is open."""
    if not os.path.lexists(path):
        raise FileNotFoundError(path)
    if not os.path.islink(path):  # noqa: PTH114 - as shutil has it
        os.chmod(path, os.lstat(path).st_mode | stat.S_IWRITE)  # noqa: PTH101
    when_closed(lambda: function(path))


def _remove(folder: Path) -> None:
    if sys.platform != "win32":
        shutil.rmtree(folder)
    elif sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=make_writable_and_retry)
    else:
        shutil.rmtree(folder, onerror=make_writable_and_retry)
