"""Read a log in blocks of rows: once, in constant memory, however long the log or a line is."""

from __future__ import annotations

import codecs
import itertools
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
BEGINNING = 256 << 20
LAST_BLOCKS = 8
"""Of a log that is longer than its beginning, the last blocks are read as well: what failed stands at the end."""
LONGEST_MIDDLE = 8 << 30
"""What stands between them is only counted; a stream that never ends is given up after so many bytes of it."""
LONGEST_ROW = 4000
OVERLAP = 400
LONGEST_REST = 64 << 10
CONTEXT_ROWS = 200
"""How many rows two blocks share, so that what spans several lines is complete in one of them."""

_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(\x07|\x1b\\)?)")
_SAMPLE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a log, and the number of each one's line, counted from 1.

    A row is a line; a very long line is several rows that overlap. `text` is all rows at once, for searches that rule
    out most blocks. `cut` tells that the middle of the log, before this block, was left out.
    """

    rows: tuple[str, ...]
    numbers: tuple[int, ...]
    text: str
    cut: bool


def blocks(stream: BinaryIO, *, size: int = BLOCK_BYTES, beginning: int = BEGINNING) -> Iterator[Block]:
    """The log's blocks in order; at least one. Of a log longer than `beginning` bytes, the middle is left out."""
    chunks = _utf8(iter(lambda: stream.read(size), b""))
    rows, read = _Rows(), 0
    for chunk in chunks:
        read += len(chunk)
        yield rows.block(chunk)
        if read >= beginning:
            last, lines = _end(chunks)
            if lines is not None:
                rows.leave_out(lines)
            yield from map(rows.block, last)
            break
    if rows.unfinished or not read:
        yield rows.block(b"\n" if rows.unfinished else b"")


def _utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8: PowerShell writes what it redirects in UTF-16."""
    first = next(chunks, b"")
    if not _is_utf16(first):
        yield from itertools.chain(filter(None, [first.removeprefix(codecs.BOM_UTF8)]), chunks)
        return
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for chunk in itertools.chain([first], chunks):
        yield decoder.decode(chunk).encode("utf-8", "replace")


def _is_utf16(first: bytes) -> bool:
    """Whether there is the mark of UTF-16 and, as in every text with spaces or lines, high bytes that are zero."""
    if not first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    high = first[3 if first.startswith(codecs.BOM_UTF16_LE) else 2 : _SAMPLE_BYTES : 2]
    return high.count(0) * 16 > len(high)


def _end(chunks: Iterator[bytes]) -> tuple[deque[bytes], int | None]:
    """The last chunks, and how many lines ended in those before them; None if there are none before them."""
    last: deque[bytes] = deque()
    lines = left_out = 0
    for chunk in chunks:
        last.append(chunk)
        if len(last) > LAST_BLOCKS:
            middle = last.popleft()
            lines += middle.count(b"\n")
            left_out += len(middle)
        if left_out > LONGEST_MIDDLE:
            break
    return last, lines if left_out else None


class _Rows:
    """Makes blocks of chunks of bytes; keeps the line that is not finished, and the rows that blocks share."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        self._numbers: list[int] = []
        self._rest = b""
        self._number = 1
        self._cut = False

    @property
    def unfinished(self) -> bool:
        return bool(self._rest)

    def block(self, chunk: bytes) -> Block:
        del self._rows[:-CONTEXT_ROWS], self._numbers[:-CONTEXT_ROWS]
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._add(line)
            self._number += 1
        if len(self._rest) > LONGEST_REST:
            self._add(self._rest)
            self._rest = self._rest[-OVERLAP:]
        return Block(tuple(self._rows), tuple(self._numbers), "\n".join(self._rows), self._cut)

    def leave_out(self, lines: int) -> None:
        """Go on after so many lines that are not read."""
        self._rows, self._numbers, self._rest = [], [], b""
        self._number += lines
        self._cut = True

    def _add(self, raw: bytes) -> None:
        line = _text(raw)
        starts = range(0, max(len(line) - OVERLAP, 1), LONGEST_ROW - OVERLAP)
        self._rows += [line[start : start + LONGEST_ROW] for start in starts]
        self._numbers += [self._number] * len(starts)


def _text(raw: bytes) -> str:
    """A line as a reader sees it, without what a progress bar overwrote and without terminal escapes."""
    if b"\0" in raw:  # UTF-16 without its mark, as PowerShell appends it to a file
        raw = raw.replace(b"\0", b"")
    if b"\r" in raw:
        raw = raw.rstrip(b"\r").rpartition(b"\r")[2]
    line = raw.decode("utf-8", "replace")
    return _ESCAPE.sub("", line) if "\x1b" in line else line
