"""Runs that go on at the same time, and moments that one of them has to itself because it measures times."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from envguard.running.task_order import Alone

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def taking_part(path: Path) -> Iterator[Alone]:
    """Go on beside every other process that takes part by the same file, during the block.

    What is yielded makes a block inside it wait until the others pause at their next measurement or end, and keeps them
    paused until it ends. On Windows, where a lock cannot be shared, only one takes part at a time.
    """
    if sys.platform == "win32":
        with FileLock(path):
            yield contextlib.nullcontext
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextlib.contextmanager
    def alone() -> Iterator[None]:
        # Turning one kind of lock into the other gives the first one up before it waits for the second (flock(2)), so
        # two runs that want to be alone do not wait for each other.
        _lock(descriptor, alone=True)
        try:
            yield
        finally:
            _lock(descriptor, alone=False)

    try:
        _lock(descriptor, alone=False)
        yield alone
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, alone: bool) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
