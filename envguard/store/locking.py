"""One process at a time builds an environment; the others know whom they wait for."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from envguard.errors import NoEnvironment

PATIENCE = 2.0


@contextlib.contextmanager
def build_lock(path: Path, *, waiting: Callable[[str], None]) -> Iterator[tuple[int, ...]]:
    """Hold the lock file; `waiting` is told who holds it when that takes longer than two seconds.

    Yields the descriptors that an installer child must inherit, so that the lock outlives a killed parent for as long
    as its installer still writes.
    """
    holder = path.with_suffix(".holder")
    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            waiting(_read_holder(holder))
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        raise NoEnvironment(
            f"{path} cannot be locked.",
            why=str(error),
            next_step="Set ENVGUARD_HOME to a folder on a local disk that you may write to.",
        ) from error
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "command": sys.argv[1:3]}), encoding="utf-8")
        yield _inheritable_descriptors(lock)
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _inheritable_descriptors(lock: FileLock) -> tuple[int, ...]:
    if os.name == "nt":
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
