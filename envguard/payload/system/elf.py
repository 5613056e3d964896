"""Which shared libraries an ELF file asks the dynamic linker for (System V ABI, chapters 4 and 5)."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"
"""64-bit, little-endian: the only kind that the wheels of the environments have."""

_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_LOAD, _DYNAMIC = 1, 2
_DYNAMIC_ENTRY = struct.Struct("<qQ")
_NULL, _NEEDED, _STRING_TABLE = 0, 1, 5

_Segment = tuple[int, int, int, int]
"""Type, offset in the file, address in memory, size in the file."""


def needed_libraries(path: Path) -> tuple[str, ...]:
    """The sonames in the file's DT_NEEDED entries, in order; none for a file that is not such an ELF file."""
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            return ()
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image:
            try:
                return tuple(_needed(image))
            except (struct.error, StopIteration, ValueError):
                return ()


def _needed(image: mmap.mmap) -> Iterator[str]:
    segments = list(_segments(image))
    entries = [entry for segment in segments if segment[0] == _DYNAMIC for entry in _dynamic_entries(image, segment)]
    address = next((value for tag, value in entries if tag == _STRING_TABLE), None)
    if address is None:
        return
    strings = _offset_in_file(segments, address)
    for tag, value in entries:
        if tag == _NEEDED:
            start = strings + value
            yield image[start : image.find(b"\0", start)].decode()


def _segments(image: mmap.mmap) -> Iterator[_Segment]:
    (table,) = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    for index in range(count):
        kind, _, offset, address, _, length, _, _ = _PROGRAM_HEADER.unpack_from(image, table + index * size)
        yield kind, offset, address, length


def _dynamic_entries(image: mmap.mmap, segment: _Segment) -> Iterator[tuple[int, int]]:
    _, offset, _, length = segment
    for position in range(offset, offset + length, _DYNAMIC_ENTRY.size):
        tag, value = _DYNAMIC_ENTRY.unpack_from(image, position)
        if tag == _NULL:
            return
        yield tag, value


def _offset_in_file(segments: list[_Segment], address: int) -> int:
    for kind, offset, start, length in segments:
        if kind == _LOAD and start <= address < start + length:
            return offset + address - start
    raise ValueError(f"no segment holds address {address:#x}")
