"""The files of a proved environment, one by one: the reference for the deep check and for repairs."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envguard.files import file_facts
from envguard.store.fingerprint import MODE

MANIFEST = "manifest.json"
SCHEMA = 1
READERS = min(4, os.cpu_count() or 1)

EntryKind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name below an environment's folder.

    `mode` are its permission bits, `bytes` its size (0 except for files), `mtime_ns` its time of change; `content` is a
    file's SHA-256 in hex, a link's target, and empty otherwise.
    """

    kind: EntryKind
    mode: int
    bytes: int
    mtime_ns: int
    content: str

    @property
    def what_counts(self) -> tuple[EntryKind, int, int, str]:
        """What makes a difference to a reader: all but the time, and of the mode what every start looks at too."""
        return (self.kind, self.mode & MODE, self.bytes, self.content)


Manifest = Mapping[str, Entry]


def scan(folder: Path, *, skip: frozenset[str] = frozenset()) -> dict[str, Entry]:
    """Read everything below a folder, except the names directly in it given by `skip`. Links are never followed."""
    names = [name for name in _names(str(folder), "") if name not in skip]
    with ThreadPoolExecutor(READERS) as readers:  # hashing lets other threads run
        return dict(zip(names, readers.map(lambda name: _entry(folder / name), names), strict=True))


def manifest_bytes(entries: Manifest) -> bytes:
    """The manifest file's content: five values for each name."""
    rows = {
        name: [entry.kind, entry.mode, entry.bytes, entry.mtime_ns, entry.content] for name, entry in entries.items()
    }
    return json.dumps({"schema": SCHEMA, "entries": rows}, separators=(",", ":"), sort_keys=True).encode()


def parse_manifest(content: bytes) -> dict[str, Entry]:
    """The entries of a manifest file; raises ValueError for anything that `manifest_bytes` does not make."""
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r}")
        return {str(name): Entry(*row) for name, row in document["entries"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a manifest") from error


def differing(expected: Manifest, found: Manifest) -> tuple[str, ...]:
    """The names that differ between two builds of one environment.

    Python 3.10 writes sets of constants into bytecode in the order of memory addresses, and 3.9 marks what it wrote
    before by how often something else refers to it. Both differ between builds, so their bytecode is not compared if
    the source next to it is the same.
    """
    names = [
        name
        for name in expected.keys() | found.keys()
        if name not in expected or name not in found or expected[name].what_counts != found[name].what_counts
    ]
    changed = set(names)
    return tuple(
        sorted(name for name in names if not (name in expected and name in found and _unordered(name, changed)))
    )


def _unordered(name: str, changed: set[str]) -> bool:
    folder, _, file = name.rpartition("/__pycache__/")
    module, _, rest = file.partition(".cpython-")
    return rest.startswith(("39.", "310.")) and f"{folder}/{module}.py" not in changed


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _names(folder: str, below: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{below}{entry.name}"
            yield name
            if entry.is_dir(follow_symlinks=False):
                yield from _names(entry.path, f"{name}/")


def _entry(path: Path) -> Entry:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISREG(found.st_mode):
        facts = file_facts(path)
        return Entry("file", mode, facts.bytes, found.st_mtime_ns, facts.sha256)
    if stat.S_ISLNK(found.st_mode):
        return Entry("link", mode, 0, found.st_mtime_ns, str(path.readlink()))
    return Entry("folder" if stat.S_ISDIR(found.st_mode) else "other", mode, 0, found.st_mtime_ns, "")
