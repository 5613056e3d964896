"""What an ELF file needs: processor, libraries, symbol versions (System V ABI; LSB Core, symbol versions).

The payload has its own reader, because it cannot import anything of envguard's host side.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF"
_CLASS_64, _LITTLE = 2, 1
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_LOAD, _DYNAMIC = 1, 2
_ENTRY = struct.Struct("<qQ")
_NEEDED, _STRING_TABLE, _RPATH, _RUNPATH = 1, 5, 15, 29
_VERSIONS_NEEDED, _COUNT_OF_VERSIONS_NEEDED = 0x6FFFFFFE, 0x6FFFFFFF
_VERNEED, _VERNAUX = struct.Struct("<HHIII"), struct.Struct("<IHHII")
_MOST_ENTRIES = 10_000

MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64", 21: "ppc64le", 22: "s390x"}


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """What the file needs: `machine` as `platform.machine` names it (empty if unknown), `bits` 32 or 64.

    `needed` are sonames, `search` the folders in RPATH and RUNPATH as written, `versions` pairs of a library and a
    symbol version that it must have (`GLIBC_2.34`). For files that are not 64-bit little-endian, only machine and bits
    are known.
    """

    machine: str
    bits: int
    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


def read_elf(path: Path) -> ElfFacts | None:
    """The facts about a file; None if it is not an ELF file or is truncated."""
    with path.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image:
            try:
                return _facts(image)
            except (struct.error, IndexError, OverflowError, ValueError):
                return None


def _facts(image: mmap.mmap) -> ElfFacts:
    order = "<" if image[5] == _LITTLE else ">"
    (number,) = struct.unpack_from(f"{order}H", image, 18)
    machine, bits = MACHINES.get(number, ""), 64 if image[4] == _CLASS_64 else 32
    if bits != 64 or order != "<":
        return ElfFacts(machine, bits)
    segments = list(_segments(image))
    entries = [entry for segment in segments if segment[0] == _DYNAMIC for entry in _dynamic(image, segment)]
    known = dict(entries)
    if _STRING_TABLE not in known:
        return ElfFacts(machine, bits)
    strings = _position(segments, known[_STRING_TABLE])
    versions: tuple[tuple[str, str], ...] = ()
    if _VERSIONS_NEEDED in known:
        start = _position(segments, known[_VERSIONS_NEEDED])
        versions = tuple(_versions(image, start, known.get(_COUNT_OF_VERSIONS_NEEDED, 0), strings))
    return ElfFacts(
        machine,
        bits,
        tuple(_string(image, strings + value) for tag, value in entries if tag == _NEEDED),
        tuple(
            folder
            for tag, value in entries
            if tag in (_RPATH, _RUNPATH)
            for folder in _string(image, strings + value).split(":")
            if folder
        ),
        versions,
    )


def _segments(image: mmap.mmap) -> Iterator[tuple[int, int, int, int]]:
    """Type, offset in the file, address in memory and size in the file of each segment."""
    (table,) = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    for index in range(count):
        kind, _, offset, address, _, length, _, _ = _PROGRAM_HEADER.unpack_from(image, table + index * size)
        yield kind, offset, address, length


def _dynamic(image: mmap.mmap, segment: tuple[int, int, int, int]) -> Iterator[tuple[int, int]]:
    _, offset, _, length = segment
    for position in range(offset, offset + min(length, _MOST_ENTRIES * _ENTRY.size), _ENTRY.size):
        tag, value = _ENTRY.unpack_from(image, position)
        if tag == 0:
            return
        yield tag, value


def _position(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, length in segments:
        if kind == _LOAD and start <= address < start + length:
            return offset + address - start
    raise ValueError(f"no segment holds address {address:#x}")


def _versions(image: mmap.mmap, start: int, count: int, strings: int) -> Iterator[tuple[str, str]]:
    """Library and symbol version of each entry in the chain of needed versions."""
    for _ in range(min(count, _MOST_ENTRIES)):
        _, versions, file, auxiliary, following = _VERNEED.unpack_from(image, start)
        library, position = _string(image, strings + file), start + auxiliary
        for _ in range(versions):
            _, _, _, name, step = _VERNAUX.unpack_from(image, position)
            yield library, _string(image, strings + name)
            position += step
        start += following


def _string(image: mmap.mmap, position: int) -> str:
    end = image.find(b"\0", position, position + 4096)
    if end < 0:
        raise ValueError("an unterminated string")
    return image[position:end].decode("utf-8", "replace")
