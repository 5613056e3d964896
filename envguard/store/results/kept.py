"""Results of steps on disk, each in a folder of its key: whole or not at all, verified whenever one is taken.

A folder holds what the step found and printed and the files that it made. The time of its document is when it was last
used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.documents import parse_json
from envguard.errors import EnvguardError
from envguard.files import facts_of
from envguard.store.inventory import disk_bytes
from envguard.system.moving import remove_tree, replace

KEY = re.compile(r"[0-9a-f]{64}")
UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{8}\.part")
DOCUMENT, FILES, LOG = "result.json", "files", "log"
LARGEST = 64 << 20


def steps_folder(home: Path) -> Path:
    """One folder per result of a step."""
    return home / "steps"


@dataclass(frozen=True, slots=True)
class KeptResult:
    """What a step found (`document`, as JSON), and the files and folders that it made, by its names for them."""

    document: Mapping[str, object]
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """A result as it lies in the store: last used in seconds since the epoch, its size on disk in bytes."""

    folder: Path
    used: float
    bytes: int

    def as_json(self) -> dict[str, object]:
        """The result for `--json`."""
        return {"key": self.folder.name, "path": str(self.folder), "bytes": self.bytes}


def keep(home: Path, key: str, document: Mapping[str, object], files: Mapping[str, Path], log: Path) -> None:
    """Keep copies of what a step made, found and printed in place of what was kept of it before.

    Where that cannot be written, nothing new is kept.
    """
    folder = steps_folder(home) / key
    unfinished, before = (folder.with_name(f".{key}.{secrets.token_hex(4)}.part") for _ in range(2))
    try:
        (unfinished / FILES).mkdir(parents=True)
        names = {}
        for number, (name, path) in enumerate(files.items()):
            place = unfinished / FILES / str(number) / path.name
            place.parent.mkdir()
            (shutil.copytree if path.is_dir() else shutil.copy)(path, place)
            names[name] = {"path": f"{number}/{path.name}", "sha256": facts_of(place).sha256}
        shutil.copyfile(log, unfinished / LOG)
        content = {"key": key, "files": names, "result": document}
        # Nothing is synced: what a power cut left of it is told by the hashes.
        (unfinished / DOCUMENT).write_text(json.dumps({**content, "seal": _seal(content)}), encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):
            replace(folder, before)
            remove_tree(before, ignore_errors=True)
        replace(unfinished, folder)
    except OSError:  # a full disk, a store that is only to be read, or another process was first
        remove_tree(unfinished, ignore_errors=True)


def take(home: Path, key: str) -> KeptResult | None:
    """What is kept under a key, if every byte is what it was; what is damaged is removed."""
    folder = steps_folder(home) / key
    if not folder.is_dir():
        return None
    try:
        found = _read(folder, key)
    except (OSError, ValueError, KeyError, TypeError, EnvguardError):
        remove_tree(folder, ignore_errors=True)
        return None
    with contextlib.suppress(OSError):  # a store that is only to be read
        os.utime(folder / DOCUMENT)
    return found


def kept_results(home: Path) -> Iterator[KeptFolder]:
    """Every result that is kept."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for folder in sorted(steps_folder(home).iterdir()):
            if KEY.fullmatch(folder.name) and not folder.is_symlink():
                with contextlib.suppress(OSError):  # another process removed it in the meantime
                    yield KeptFolder(folder, (folder / DOCUMENT).stat().st_mtime, disk_bytes([folder]))


def unfinished_results(home: Path) -> Iterator[Path]:
    """What was being kept when a run was killed, or still is."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        yield from (path for path in sorted(steps_folder(home).iterdir()) if UNFINISHED.fullmatch(path.name))


def _read(folder: Path, key: str) -> KeptResult:
    with (folder / DOCUMENT).open("rb") as file:
        document = parse_json(file.read(LARGEST).decode())
    if not isinstance(document, dict) or document["key"] != key or document.pop("seal") != _seal(document):
        raise ValueError("it is not what was written, or the result of another step")
    files = {}
    for name, each in document["files"].items():
        path = folder / FILES / str(each["path"])
        inside = path.resolve().is_relative_to((folder / FILES).resolve())
        if not inside or facts_of(path).sha256 != each["sha256"]:
            raise ValueError(f"{name} is not what it was")
        files[str(name)] = path
    return KeptResult(document["result"], files)


def _seal(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
