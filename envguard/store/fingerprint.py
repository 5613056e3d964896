"""Tell within milliseconds whether an environment has changed since it was proved, by size and time of every file.

This check runs at every start, so it only imports what Python has already loaded, and it checks no more than needed:
bytecode files are covered by the times of their folders (Python and installers replace the files, which changes the
folder), which saves a third of the time. Damage that keeps size and time, as on a failing disk, is found by
`verify_environment`, which reads every byte.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable

FINGERPRINT = "fingerprint"
MARKER = "ready.json"
_TITLE = b"envguard fingerprint 1"
_BYTECODE = ".pyc"


def take_fingerprint(folder: str, names: Iterable[str]) -> bytes:
    """The fingerprint of files and folders; names are relative to `folder` or absolute, links are not followed.

    The format is fast to read: a line with the number of names and their length in bytes, the names separated by
    zeros, then each one's size in bytes and time of change in nanoseconds as native 64-bit integers.
    """
    chosen = sorted(name for name in names if not name.endswith(_BYTECODE))
    facts = array("q")
    for name in chosen:
        found = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - as below
        facts.extend((found.st_size, found.st_mtime_ns))
    text = os.fsencode("\0".join(chosen))
    return b"%s %d %d\n%s%s" % (_TITLE, len(chosen), len(text), text, facts.tobytes())


def why_changed(folder: str, python: str, interpreter: str) -> str:
    """Why an environment is not the one that was proved, in words for a user; empty if it is.

    `python` is the environment's own, below `folder`; `interpreter` is the real file that it must still lead to, empty
    if that is in an image.
    """
    leads_to = os.path.realpath(os.path.join(folder, python)) if interpreter else ""  # noqa: PTH118 - pathlib costs 4 ms
    if leads_to != interpreter:
        return f"its Python no longer leads to {interpreter}"
    try:
        with open(os.path.join(folder, FINGERPRINT), "rb") as file:  # noqa: PTH118, PTH123 - as above
            names, recorded = _read(file.read())
    except FileNotFoundError:
        return "it has no fingerprint"
    except (OSError, ValueError):
        return "its fingerprint is damaged"
    found = array("q")
    try:
        _look(folder, names, found)
    except (OSError, ValueError):
        return f"{names[len(found) // 2]} is missing"
    if found == recorded:
        return ""
    position = next(index for index, (old, new) in enumerate(zip(recorded, found, strict=True)) if old != new)
    return f"{names[position // 2]} has changed"


def _read(content: bytes) -> tuple[list[str], array[int]]:
    """The names and their facts; raises ValueError for anything that `take_fingerprint` does not make."""
    head, _, rest = content.partition(b"\n")
    title, count, length = head.rsplit(b" ", 2)
    names = os.fsdecode(rest[: int(length)]).split("\0")
    facts = array("q")
    facts.frombytes(rest[int(length) :])
    if title != _TITLE or len(names) != int(count) or len(facts) != 2 * len(names):
        raise ValueError("not a fingerprint")
    return names, facts


def _look(folder: str, names: list[str], found: array[int]) -> None:
    """Add the current facts of each name; after an error, their number tells how far it came."""
    lstat = os.lstat
    if os.stat not in os.supports_dir_fd:
        for name in names:
            now = lstat(os.path.join(folder, name))  # noqa: PTH118 - as above
            found.extend((now.st_size, now.st_mtime_ns))
        return
    directory = os.open(folder, os.O_RDONLY)
    try:
        for name in names:
            now = lstat(name, dir_fd=directory)
            found.extend((now.st_size, now.st_mtime_ns))
    finally:
        os.close(directory)
