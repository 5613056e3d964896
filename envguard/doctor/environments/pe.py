"""What a PE file needs (Microsoft, PE Format): processor and DLLs, just what a check of an environment asks for.

`envguard audit` reads more, with LIEF; this has to work where no environment can be built.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PE, _PE32, _PE32_PLUS = b"PE\0\0", 0x10B, 0x20B
_IMPORTS = 1
_COFF, _SECTION, _DESCRIPTOR = struct.Struct("<HHIIIHH"), struct.Struct("<8s4I"), struct.Struct("<5I")
_MOST_IMPORTS = 4_096

MACHINES = {0x8664: "x86_64", 0xAA64: "arm64", 0x14C: "x86"}


@dataclass(frozen=True, slots=True)
class PeFacts:
    """`machine` as platforms name it, empty if unknown, and the DLLs that it needs to load."""

    machine: str
    needed: tuple[str, ...] = ()


def read_pe(path: Path) -> PeFacts | None:
    """The facts about a file; None if it is not a PE file or is truncated."""
    with path.open("rb") as stream:
        if stream.read(2) != b"MZ":
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image:
            try:
                return _facts(image)
            except (struct.error, IndexError, ValueError):
                return None


def _facts(image: mmap.mmap) -> PeFacts:
    (start,) = struct.unpack_from("<I", image, 0x3C)
    if image[start : start + 4] != _PE:
        raise ValueError("no PE header")
    machine, sections, _, _, _, optional_size, _ = _COFF.unpack_from(image, start + 4)
    optional = start + 4 + _COFF.size
    (magic,) = struct.unpack_from("<H", image, optional)
    if magic not in (_PE32, _PE32_PLUS):
        raise ValueError("no optional header")
    directories = optional + (112 if magic == _PE32_PLUS else 96)
    (address,) = struct.unpack_from("<I", image, directories + _IMPORTS * 8)
    table = [_SECTION.unpack_from(image, optional + optional_size + number * 40) for number in range(sections)]
    name = MACHINES.get(machine, "")
    return PeFacts(name, tuple(_imported(image, table, address)) if address else ())


def _imported(image: mmap.mmap, table: list[tuple[bytes, int, int, int, int]], address: int) -> Iterator[str]:
    position = _position(table, address)
    for number in range(_MOST_IMPORTS):
        *_, name, _ = _DESCRIPTOR.unpack_from(image, position + number * _DESCRIPTOR.size)
        if name == 0:
            return
        start = _position(table, name)
        end = image.find(b"\0", start, start + 4096)
        if end < 0:
            raise ValueError("an unterminated string")
        yield image[start:end].decode("utf-8", "replace")


def _position(table: list[tuple[bytes, int, int, int, int]], address: int) -> int:
    """The place in the file of an address in memory."""
    for _, size, start, raw_size, raw in table:
        if start <= address < start + max(size, raw_size):
            return raw + address - start
    raise ValueError(f"no section holds address {address:#x}")
