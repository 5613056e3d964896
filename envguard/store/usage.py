"""Who uses an environment: whatever runs in it holds a shared lock, so that nothing is removed under its feet.

The lock belongs to the open file, so a process that inherits the descriptor keeps the environment in use for exactly
as long as it lives, whoever started it. The file's time is when the environment was last used. The lock file is never
deleted: a lock on a deleted file protects nothing. This module is on the path of every start and imports little.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from envguard.errors import NoEnvironment

try:
    import fcntl
except ImportError:  # Windows: there, files of a running program cannot be deleted anyway
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".use"


def hold(folder: str) -> int | None:
    """Mark an environment as in use now; closing the descriptor that is given back, or the process's end, undoes it.

    The descriptor is for children to inherit. None where there is nothing to hold: on Windows, in a store that cannot
    be written to (where nobody can remove anything either), and where there is no store yet. Take it before asking
    whether the environment is ready. Raises NoEnvironment where the file system has no locks.
    """
    if fcntl is None:
        return None
    path = folder + SUFFIX
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
            return None
        raise no_locks(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.utime(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise no_locks(path, error) from error
    return descriptor


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[tuple[int, ...]]:
    """Keep an environment in use during the block; yields the descriptors that its processes must inherit."""
    descriptor = hold(str(folder))
    try:
        yield () if descriptor is None else (descriptor,)
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextlib.contextmanager
def unused(folder: Path) -> Iterator[bool]:
    """Whether nobody uses an environment; if so, nobody starts to before the block ends."""
    if fcntl is None:
        yield True
        return
    path = folder.with_name(folder.name + SUFFIX)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def last_used(folder: Path) -> float | None:
    """When something was last started in an environment, in seconds since the epoch; None if never."""
    try:
        return folder.with_name(folder.name + SUFFIX).stat().st_mtime
    except OSError:
        return None


def no_locks(path: str | Path, error: Exception) -> NoEnvironment:
    """The failure of a file system that locks no files."""
    return NoEnvironment(
        f"{path} cannot be locked.",
        why=str(error),
        next_step="Set ENVGUARD_HOME to a folder on a local disk that you may write to.",
    )
