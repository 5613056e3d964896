"""Who owns what outlives a killed process: a lock file that is held for as long as its owner lives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from envguard.store.environments import make_folder
from envguard.store.home import owners_folder


@contextlib.contextmanager
def ownership(home: Path) -> Iterator[str]:
    """Own things during the block; yields the name to mark them with.

    It says the store, because another store's owners cannot be known to be alive from here. A lock tells the living
    from the dead also between containers, where process numbers do not.
    """
    folder = owners_folder(home)
    make_folder(folder)
    name = f"{os.getpid()}-{secrets.token_hex(8)}"
    lock = FileLock(folder / name)
    lock.acquire()
    try:
        yield f"{_store(home)}/{name}"
    finally:
        lock.release()
        (folder / name).unlink(missing_ok=True)


def is_over(home: Path, owner: str) -> bool:
    """Whether an owner of this store lives no more; the things of other stores are not ours to judge."""
    store, _, name = owner.partition("/")
    path = owners_folder(home) / Path(name).name
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
