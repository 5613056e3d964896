"""Read a PNG that is too large to hold in memory: a band of rows at a time, each scaled down before the next."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from .colours import in_colour

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BAND_BYTES = 1 << 21
_PIECE_BYTES = 1 << 16
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type: grey, RGB, palette, grey with alpha, RGB with alpha."""

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""The colour type that has one byte in each of so many channels."""

_MODES = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}
"""What Pillow calls 8-bit pixels of a colour type."""

_MEANING = (b"PLTE", b"tRNS")
"""Chunks that say what the numbers of a row mean."""


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    colour_type: int
    interlaced: bool

    @classmethod
    def of(cls, data: bytes) -> _Header:
        width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", data)
        return cls(width, height, depth, colour_type, bool(interlace))

    @property
    def row_bytes(self) -> int:
        """The bytes of a row without the one that names its filter."""
        return (self.width * self.depth * _CHANNELS[self.colour_type] + 7) // 8

    @property
    def pixel_bytes(self) -> int:
        """How far apart the bytes are that a filter compares."""
        return max(1, self.depth * _CHANNELS[self.colour_type] // 8)


def read_scaled(path: Path, factor: int) -> Image.Image:
    """The picture, `factor` times smaller each way: RGB, or I for 16-bit grey.

    Raises ValueError for damage, and for the two kinds that cannot be read by rows: interlaced, and 16-bit colour.
    """
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise ValueError("not a PNG")
        chunks = _chunks(file)
        header = _Header.of(next(chunks)[1])
        if header.interlaced or header.pixel_bytes not in _COLOUR_TYPES:
            kind = "an interlaced PNG" if header.interlaced else "a PNG with 16 bits per colour"
            raise ValueError(f"{kind} cannot be scaled while it is read")
        meaning: list[tuple[bytes, bytes]] = []
        small: Image.Image | None = None
        top = 0
        for rows in _bands(header, _unfiltered(header, _inflated(chunks, meaning)), factor):
            band = _decoded(header, meaning, rows).reduce(factor)
            small = small or Image.new(band.mode, (band.width, -(-header.height // factor)))
            small.paste(band, (0, top))
            top += band.height
    if small is None or top != small.height:
        raise ValueError("the file is truncated")
    return small


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk; a long one comes in pieces under the same name."""
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        if name == b"IEND":
            return
        while size:
            piece = file.read(min(size, _PIECE_BYTES) if name == b"IDAT" else size)
            if not piece:
                return
            size -= len(piece)
            yield name, piece
        file.read(4)


def _inflated(chunks: Iterator[tuple[bytes, bytes]], meaning: list[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """The filtered rows in pieces; what comes before them and gives them a meaning is appended to `meaning`."""
    inflater = zlib.decompressobj()
    for name, data in chunks:
        if name in _MEANING:
            meaning.append((name, data))
        rest = data if name == b"IDAT" else b""
        while rest:
            yield inflater.decompress(rest, BAND_BYTES)
            rest = inflater.unconsumed_tail


def _unfiltered(header: _Header, pieces: Iterator[bytes]) -> Iterator[np.ndarray]:
    """The rows without filters, some at a time."""
    row_bytes = header.row_bytes + 1
    waiting = bytearray()
    above = bytes(row_bytes)
    done = 0
    for piece in pieces:
        waiting += piece
        count = min(len(waiting) // row_bytes, header.height - done)
        if not count or (len(waiting) < BAND_BYTES and done + count < header.height):
            continue
        # Pillow undoes the filters, which look at the row above; pixels of the same bytes stand in for the real ones.
        stand_in = _Header(
            header.row_bytes // header.pixel_bytes, count + 1, 8, _COLOUR_TYPES[header.pixel_bytes], interlaced=False
        )
        rows = _opened(stand_in, [], above + bytes(waiting[: count * row_bytes]))
        found = np.asarray(rows).reshape(count + 1, header.row_bytes)[1:]
        above = b"\0" + found[-1].tobytes()
        del waiting[: count * row_bytes]
        done += count
        yield found


def _bands(header: _Header, parts: Iterator[np.ndarray], factor: int) -> Iterator[np.ndarray]:
    """The same rows in bands of a multiple of `factor` rows, but for the last."""
    waiting = np.zeros((0, header.row_bytes), np.uint8)
    for part in parts:
        waiting = np.concatenate([waiting, part])
        count = len(waiting) // factor * factor
        if count:
            yield waiting[:count]
            waiting = waiting[count:]
    if len(waiting):
        yield waiting


def _decoded(header: _Header, meaning: Sequence[tuple[bytes, bytes]], rows: np.ndarray) -> Image.Image:
    """The rows as RGB, or as I for 16-bit grey: white is known only when all of them are."""
    if header.depth == 8 and header.colour_type in _MODES and not meaning:
        return in_colour(Image.frombytes(_MODES[header.colour_type], (header.width, len(rows)), rows.tobytes()))
    band = replace(header, height=len(rows))
    plain = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], axis=1)
    image = _opened(band, meaning, plain.tobytes())
    return image.convert("I") if image.mode.startswith("I") else in_colour(image)


def _opened(header: _Header, meaning: Sequence[tuple[bytes, bytes]], rows: bytes) -> Image.Image:
    """A PNG of these filtered rows, decoded."""
    described = struct.pack(">IIBBBBB", header.width, header.height, header.depth, header.colour_type, 0, 0, 0)
    chunks = [(b"IHDR", described), *meaning, (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    image = Image.open(io.BytesIO(SIGNATURE + data), formats=("PNG",))
    image.load()
    return image
