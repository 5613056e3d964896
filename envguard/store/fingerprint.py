"""Tell within milliseconds whether an environment has changed since it was proved: size, time and mode of every file.

This check runs at every start, so it only imports what Python has already loaded, and a warm start checks no more than
is going to be read: the sources of modules that have bytecode are left to every other command (Python does not read
them, as bytecode is never checked against its source). Damage that keeps size and time, as on a failing disk, is found
by `verify_environment`, which reads every byte; the store then condemns the environment, so that both agree.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own costs 3 ms to import, as collections.abc and array do
if TYPE_CHECKING:
    from collections.abc import Iterable

FINGERPRINT = "fingerprint"
SOURCES = "fingerprint-sources"
MARKER = "ready.json"
CONDEMNED = b"condemned by a deep check\n"
_TITLE = b"envguard fingerprint 2"
_CACHE = "__pycache__"
_FACTS = 3  # of each name
_WIDTH = 8  # bytes of each fact
_WORTH_OPENING = 5  # names in a folder; below, opening it costs more than looking each up from the top
# Whether the owner may read and execute it. A store that is shared may be made read-only, and readable for others.
MODE = 0o500

Groups = list[tuple[str, list[str]]]  # folders, and the names to look up in each


def take_fingerprints(folder: str, names: Iterable[str]) -> dict[str, bytes]:
    """The fingerprints of files and folders by file name: of what a start may read, and of the sources of bytecode.

    Names are relative to `folder` or absolute, links are not followed. The format is fast to read: a line with the
    number of names and their length in bytes; the names by folder, separated by zeros, folders by two (those in small
    folders with their path); then each one's size in bytes, time of change in nanoseconds and mode as native 64-bit
    integers.
    """
    every = set(names)
    sources = {source for name in every if (source := _source_of(name)) in every}
    return {FINGERPRINT: _fingerprint(folder, every - sources), SOURCES: _fingerprint(folder, sources)}


def why_changed(folder: str, python: str, interpreter: str, *, sources: bool = True) -> str:
    """Why an environment is not the one that was proved, in words for a user; empty if it is.

    `python` is the environment's own, below `folder`; `interpreter` is the real file that it must still lead to, empty
    if that is in an image. A warm start leaves out the `sources` of bytecode.
    """
    leads_to = os.path.realpath(os.path.join(folder, python)) if interpreter else ""  # noqa: PTH118 - pathlib costs 4 ms
    if leads_to != interpreter:
        return f"its Python no longer leads to {interpreter}"
    return _differs(folder, FINGERPRINT) or (_differs(folder, SOURCES) if sources else "")


def _differs(folder: str, fingerprint: str) -> str:
    try:
        with open(os.path.join(folder, fingerprint), "rb") as file:  # noqa: PTH118, PTH123 - as above
            content = file.read()
        if content == CONDEMNED:
            return "`envguard store verify` found damage in it"
        groups, recorded = _read(content)
    except FileNotFoundError:
        return "it has no fingerprint"
    except (OSError, ValueError):
        return "its fingerprint is damaged"
    found: list[int] = []
    try:
        _look(folder, groups, found)
    except (OSError, ValueError):
        return f"{_name(groups, len(found) // _FACTS)} is missing"
    if found == recorded:
        return ""
    position = next(index for index, (old, new) in enumerate(zip(recorded, found, strict=True)) if old != new)
    return f"{_name(groups, position // _FACTS)} has changed"


def _source_of(name: str) -> str:
    """The source beside the cache that a bytecode file lies in, such as `m.py` for `__pycache__/m.cpython-311.pyc`."""
    cache, _, file = name.rpartition("/")
    if not cache.endswith(_CACHE) or not file.endswith(".pyc"):
        return ""
    module = file.removesuffix(".pyc").rpartition(".")[0]
    return f"{cache.removesuffix(_CACHE)}{module}.py"


def _fingerprint(folder: str, names: Iterable[str]) -> bytes:
    by_folder: dict[str, list[str]] = {}
    for name in sorted(names):
        parent, _, own = name.rpartition("/")
        by_folder.setdefault(parent or ".", []).append(own)
    for parent in [each for each, own in by_folder.items() if len(own) < _WORTH_OPENING and each != "."]:
        by_folder.setdefault(".", []).extend(f"{parent}/{name}" for name in by_folder.pop(parent))
    groups = sorted(by_folder.items())
    facts: list[int] = []
    _look(folder, groups, facts)
    text = os.fsencode("\0\0".join("\0".join((parent, *each)) for parent, each in groups))
    numbers = b"".join(fact.to_bytes(_WIDTH, sys.byteorder, signed=True) for fact in facts)
    return b"%s %d %d\n%s%s" % (_TITLE, len(facts) // _FACTS, len(text), text, numbers)


def _read(content: bytes) -> tuple[Groups, list[int]]:
    """The names by folder and their facts; raises ValueError for anything that `take_fingerprints` does not make."""
    head, _, rest = content.partition(b"\n")
    title, count, length = head.rsplit(b" ", 2)
    text = os.fsdecode(rest[: int(length)])
    groups: Groups = []
    for block in text.split("\0\0") if text else ():
        parent, *names = block.split("\0")
        groups.append((parent, names))
    numbers = rest[int(length) :]
    if len(numbers) % _WIDTH:
        raise ValueError("not a fingerprint")
    facts = memoryview(numbers).cast("q").tolist()
    if title != _TITLE or sum(len(names) for _, names in groups) != int(count) or len(facts) != _FACTS * int(count):
        raise ValueError("not a fingerprint")
    return groups, facts


def _name(groups: Groups, number: int) -> str:
    every = [name if parent == "." else f"{parent}/{name}" for parent, names in groups for name in names]
    return every[number]


def _look(folder: str, groups: Groups, found: list[int]) -> None:
    """Add the current facts of each name; after an error, their number tells how far it came."""
    lstat, extend = os.lstat, found.extend
    if os.stat not in os.supports_dir_fd:
        for parent, names in groups:
            for name in names:
                now = lstat(os.path.join(folder, parent, name))  # noqa: PTH118 - as above
                extend((now.st_size, now.st_mtime_ns, now.st_mode & MODE))
        return
    top = os.open(folder, os.O_RDONLY)
    try:
        for parent, names in groups:
            directory = os.open(parent, os.O_RDONLY, dir_fd=top)
            try:
                for name in names:
                    now = lstat(name, dir_fd=directory)
                    extend((now.st_size, now.st_mtime_ns, now.st_mode & MODE))
            finally:
                os.close(directory)
    finally:
        os.close(top)
