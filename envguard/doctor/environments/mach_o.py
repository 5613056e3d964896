"""What a Mach-O file needs (Apple, `mach-o/loader.h` and `mach-o/fat.h`): just what a check of an environment asks for.

`envguard audit` reads more, with LIEF; this has to work where no environment can be built.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_THIN_64, _FAT, _FAT_64 = 0xFEEDFACF, 0xCAFEBABE, 0xCAFEBABF
_MOST_PARTS, _MOST_COMMANDS = 16, 10_000
_HEADER = struct.Struct("<8I")
_LIBRARY = {0xC: False, 0x8000_0018: True, 0x8000_001F: False, 0x20: True, 0x8000_0023: False}
"""The commands that load a library, and whether it may be absent (weak, or on first use)."""
_RPATH, _SIGNATURE, _BUILD_VERSION, _OLD_VERSION = 0x8000_001C, 0x1D, 0x32, 0x24

MACHINES = {0x0100_000C: "arm64", 0x0100_0007: "x86_64"}


@dataclass(frozen=True, slots=True)
class MachOFacts:
    """One processor's part of a file: `machine` as macOS names it, the libraries that it `needed`, its rpaths.

    `optional` are those of them that may be absent; `minimum` is the macOS that it was built for, as `14.0`.
    """

    machine: str
    needed: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    search: tuple[str, ...] = ()
    minimum: str = ""
    signed: bool = False


def read_mach_o(path: Path) -> tuple[MachOFacts, ...]:
    """The facts about each part of a file; none if it is not a Mach-O file of 64 bits, or is truncated."""
    with path.open("rb") as stream:
        if len(stream.read(4)) < 4:
            return ()
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image:
            try:
                return tuple(_part(image, offset) for offset in _offsets(image))
            except (struct.error, IndexError, ValueError):
                return ()


def _offsets(image: mmap.mmap) -> Iterator[int]:
    (magic,) = struct.unpack_from(">I", image)
    if magic in (_FAT, _FAT_64):
        (count,) = struct.unpack_from(">I", image, 4)
        if count > _MOST_PARTS:  # a Java class has the same magic
            return
        for number in range(count):
            if magic == _FAT:
                yield struct.unpack_from(">5I", image, 8 + number * 20)[2]
            else:
                yield struct.unpack_from(">IIQQII", image, 8 + number * 32)[2]
    elif struct.unpack_from("<I", image)[0] == _THIN_64:
        yield 0


def _part(image: mmap.mmap, start: int) -> MachOFacts:
    magic, processor, _, _, count, _, _, _ = _HEADER.unpack_from(image, start)
    if magic != _THIN_64:
        raise ValueError("a part of 32 bits")
    needed, search, optional, minimum, signed = [], [], set(), "", False
    position = start + _HEADER.size
    for _ in range(min(count, _MOST_COMMANDS)):
        command, size = struct.unpack_from("<II", image, position)
        if command in _LIBRARY:
            needed.append(_text(image, position, size))
            if _LIBRARY[command]:
                optional.add(needed[-1])
        elif command == _RPATH:
            search.append(_text(image, position, size))
        elif command in (_BUILD_VERSION, _OLD_VERSION):
            (version,) = struct.unpack_from("<I", image, position + (12 if command == _BUILD_VERSION else 8))
            minimum = f"{version >> 16}.{version >> 8 & 0xFF}"
        signed = signed or command == _SIGNATURE
        position += max(size, 8)
    machine = MACHINES.get(processor, "")
    return MachOFacts(machine, tuple(needed), frozenset(optional), tuple(search), minimum, signed)


def _text(image: mmap.mmap, position: int, size: int) -> str:
    """The text of a command, whose place in it is its third number."""
    (offset,) = struct.unpack_from("<I", image, position + 8)
    return image[position + offset : position + size].split(b"\0")[0].decode("utf-8", "replace")
