"""Whether a Mach-O file is signed, and its pages are those that were signed: macOS on arm64 ends what is not.

The hashes need no certificate: an ad-hoc signature, which linkers write, has them too. Layout: Apple, `cs_blobs.h`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import lief

from .module import UNSIGNED

_SIGNATURE, _DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_BLOB, _HEAD = struct.Struct(">II"), struct.Struct(">IIIIIIIIIBBBB")
_HASHES = {1: (hashlib.sha1, 20), 2: (hashlib.sha256, 32), 3: (hashlib.sha256, 20), 4: (hashlib.sha384, 48)}


def what_is_wrong(macho: lief.MachO.Binary, file: Path) -> str:
    """What is wrong with the signature of a file's part for one processor; empty if nothing is."""
    if not macho.has_code_signature:
        return UNSIGNED
    command = macho.code_signature
    with file.open("rb") as stream:
        stream.seek(macho.fat_offset + command.data_offset)
        signature = stream.read(command.data_size)
        try:
            directories = list(_directories(signature))
        except struct.error:
            return "its signature is truncated"
        if not directories:
            return "its signature has no hashes"
        problems = [_first_wrong_page(each, stream, macho.fat_offset) for each in directories]
    return next(filter(None, problems), "")


def _directories(signature: bytes) -> Iterator[bytes]:
    magic, _ = _BLOB.unpack_from(signature)
    if magic != _SIGNATURE:
        return
    (count,) = struct.unpack_from(">I", signature, 8)
    for number in range(min(count, 64)):
        _, offset = _BLOB.unpack_from(signature, 12 + number * _BLOB.size)
        magic, length = _BLOB.unpack_from(signature, offset)
        if magic == _DIRECTORY:
            yield signature[offset : offset + length]


def _first_wrong_page(directory: bytes, stream: IO[bytes], start: int) -> str:
    """What is wrong with the first page whose hash differs; a page that nobody can hash is not judged."""
    try:
        head = _HEAD.unpack_from(directory)
    except struct.error:
        return "its signature is truncated"
    hashes, count, limit = head[4], head[7], head[8]
    size, kind, page_bits = head[9], head[10], head[12]
    if kind not in _HASHES:
        return ""
    make, length = _HASHES[kind]
    stream.seek(start)
    left = limit
    for number in range(count):
        page = stream.read(min(left, 1 << page_bits if page_bits else left))
        left -= len(page)
        wanted = directory[hashes + number * size : hashes + (number + 1) * size]
        if make(page).digest()[:length] != wanted:
            return f"page {number + 1} of {count} is not what was signed"
    return ""
