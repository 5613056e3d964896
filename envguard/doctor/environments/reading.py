"""Read files of an environment that anybody may have made: no device or pipe, no more than a limit, no exception."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

TEXT = 4 << 20
MOST_ENTRIES = 100_000
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def content(path: Path, limit: int = TEXT) -> bytes | None:
    """The bytes of a file; None of what is no file, cannot be read, or is larger than `limit`."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                return None
            return file.read(limit)
    except OSError:
        return None


def text(path: Path, limit: int = TEXT) -> str:
    """The text of a file, empty where there is none to read."""
    return (content(path, limit) or b"").decode("utf-8", "replace")


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; nothing where it cannot be read."""
    found = []
    try:
        with os.scandir(folder) as rows:
            for row in rows:
                found.append(row)
                if len(found) >= MOST_ENTRIES:
                    break
    except OSError:
        return []
    return sorted(found, key=lambda row: row.name)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order, without following links to folders."""
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(base, name)
