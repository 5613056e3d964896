"""Locks: one process builds an environment, the others know whom they wait for, and nobody removes what is in use."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from envguard.store.usage import SUFFIX, hold, no_locks

if sys.platform != "win32":
    import fcntl

PATIENCE = 2.0


@contextlib.contextmanager
def build_lock(path: Path, *, waiting: Callable[[str], None]) -> Iterator[tuple[int, ...]]:
    """Hold the lock file; `waiting` is told who holds it if that takes longer than two seconds.

    Yields the descriptors that an installer child must inherit, so that the lock outlives a killed parent until its
    installer has stopped writing.
    """
    holder = path.with_suffix(".holder")
    lock = FileLock(path)
    try:
        _refuse_unlockable(path)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            waiting(_read_holder(holder))
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        raise no_locks(path, error) from error
    try:
        with contextlib.suppress(OSError):  # on a full disk, those who wait are told less
            holder.write_text(json.dumps({"pid": os.getpid(), "command": sys.argv[1:3]}), encoding="utf-8")
        yield _inheritable_descriptors(lock)
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def build_lock_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file unless somebody else does; yields whether it is held."""
    lock = FileLock(path)
    try:
        _refuse_unlockable(path)
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    except (OSError, NotImplementedError) as error:
        raise no_locks(path, error) from error
    try:
        yield True
    finally:
        lock.release()


def is_being_built(folder: Path) -> bool:
    """Whether a process is currently building the environment in that folder."""
    with build_lock_if_free(folder.with_name(folder.name + ".lock")) as free:
        return not free


def _refuse_unlockable(path: Path) -> None:
    """Raise OSError if files cannot be locked: filelock's fallback is a lock that a killed process leaves behind."""
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with contextlib.suppress(BlockingIOError, PermissionError):
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                # Closing alone is not enough: another thread may just have forked, and its child has it too.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)


def _inheritable_descriptors(lock: FileLock) -> tuple[int, ...]:
    if sys.platform == "win32":
        return ()
    # filelock has no public name for its descriptor; flock() belongs to the open file, so a child that inherits it
    # keeps the lock.
    descriptor = lock._context.lock_file_fd
    assert descriptor is not None
    return (descriptor,)


def _read_holder(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {int(told['pid'])} (envguard {' '.join(map(str, told['command']))})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[tuple[int, ...]]:
    """Mark an environment as in use during the block; yields the descriptors that its processes must inherit."""
    descriptor = hold(str(folder))
    try:
        yield () if descriptor is None else (descriptor,)
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextlib.contextmanager
def unused(folder: Path) -> Iterator[bool]:
    """Whether an environment is unused; if so, nobody can start using it before the block ends."""
    if sys.platform == "win32":
        yield True
        return
    path = folder.with_name(folder.name + SUFFIX)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        yield _locked_alone(descriptor)
    finally:
        os.close(descriptor)


def _locked_alone(descriptor: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
