"""Make an environment's files survive a power cut before anything says that they are there."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from envguard.files import sync_folder


def make_durable(folder: Path) -> None:
    """Write everything below a folder, its name and those of its parents to the disk; raises OSError.

    Linux does it in one call for the whole file system; elsewhere each file and folder is synced by itself.
    """
    if os.name == "nt":
        return  # where folders cannot be synced, and NTFS keeps a journal of names
    if not _sync_file_system(folder):
        for place, _, files in os.walk(folder):
            for name in files:
                if not os.path.islink(os.path.join(place, name)):  # noqa: PTH114, PTH118 - os.walk gives texts
                    sync_folder(Path(place, name))
            sync_folder(Path(place))
    for parent in (folder, *folder.parents):
        if not os.access(parent, os.W_OK):
            return  # nothing new is in it
        sync_folder(parent)


def _sync_file_system(folder: Path) -> bool:
    """Whether the whole file system of a folder was written out; False where the system cannot; raises OSError."""
    if not sys.platform.startswith("linux"):
        return False
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
    return True
