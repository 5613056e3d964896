"""Tell living processes from dead ones: a lock file that a process holds for as long as it lives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from envguard.store.environments import make_folder
from envguard.store.home import process_marks_folder


@contextlib.contextmanager
def process_mark(home: Path) -> Iterator[str]:
    """A mark for what this process starts and might leave behind, such as containers; valid during the block.

    The mark names the store, because only processes that share this store can tell whether its owner is alive. Unlike
    a process number, the lock also works between containers.
    """
    folder = process_marks_folder(home)
    make_folder(folder)
    name = f"{os.getpid()}-{secrets.token_hex(8)}"
    lock = FileLock(folder / name)
    lock.acquire()
    try:
        yield f"{_store(home)}/{name}"
    finally:
        lock.release()
        (folder / name).unlink(missing_ok=True)


def has_ended(home: Path, mark: str) -> bool:
    """Whether the process with this mark is gone; False if the mark belongs to another store."""
    store, _, name = mark.partition("/")
    path = process_marks_folder(home) / Path(name).name
    if store != _store(home):
        return False
    if not path.exists():
        return True
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    path.unlink(missing_ok=True)
    return True


def _store(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
