"""Write files that appear whole or not at all, and identify files by their content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file's path, size in bytes and SHA-256 in hex."""

    path: Path
    bytes: int
    sha256: str

    def as_json(self) -> dict[str, str | int]:
        """The facts for `--json`."""
        return {"path": str(self.path), "bytes": self.bytes, "sha256": self.sha256}


def file_facts(path: Path) -> FileFacts:
    """Read a file once and identify it."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileFacts(path, size, digest.hexdigest())


@contextlib.contextmanager
def appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` if the block succeeds, and leaves no trace otherwise.

    The content reaches the disk before the name does: temporary file in the same folder, fsync, rename, fsync of that
    folder.
    """
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that readers see either the old content or the new, never a part."""
    with appearing_whole(path) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, on systems that can sync folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
