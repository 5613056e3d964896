"""Mark environments as in use: whatever runs in one holds a shared lock, so that nobody removes it meanwhile.

The lock belongs to the open file, so a process that inherits the descriptor keeps the environment in use for exactly
as long as it lives, whoever started it. The file's time tells when the environment was last used. The lock file is
never deleted: a lock on a deleted file protects nothing. Every start imports this module, so it only imports what
Python has already loaded.
"""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False  # typing's own costs 3 ms to import
if TYPE_CHECKING:
    from pathlib import Path

    from envguard.errors import NoEnvironment

if sys.platform != "win32":  # there, files of a running program cannot be deleted anyway
    import fcntl

SUFFIX = ".use"


def hold(folder: str) -> int | None:
    """Mark an environment as in use until the returned descriptor is closed or the process ends.

    Children may inherit the descriptor. None if there is nothing to hold: on Windows, in a store that is not writable
    (so nobody can remove anything either), and if there is no store yet. Call it before checking whether the
    environment is ready. Raises NoEnvironment if the file system does not support locks.
    """
    if sys.platform == "win32":
        return None
    path = folder + SUFFIX
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
            return None
        raise no_locks(path, error) from error
    try:
        _share(descriptor)
        os.utime(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise no_locks(path, error) from error
    return descriptor


def _share(descriptor: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def last_used(folder: Path) -> float | None:
    """When something last started in an environment, in seconds since the epoch; None if never."""
    try:
        return folder.with_name(folder.name + SUFFIX).stat().st_mtime
    except OSError:
        return None


def no_locks(path: str | Path, error: Exception) -> NoEnvironment:
    """The error for a file system that cannot lock files."""
    from envguard.errors import NoEnvironment

    return NoEnvironment(
        f"{path} cannot be locked.",
        why=str(error),
        next_step="Set ENVGUARD_HOME to a folder on a local disk that you can write to.",
    )
