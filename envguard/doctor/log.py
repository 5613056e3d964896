"""A log in blocks of lines: read once, in constant memory, however long it or one of its lines is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
LARGEST_LOG = 256 << 20
LONGEST_LINE = 4000
CONTEXT_LINES = 200
"""How many lines are in two blocks, so that what spans several lines is whole in one of them."""

_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(\x07|\x1b\\)?)")


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines of a log; `first` is the number of the first one, counted from 1.

    `text` is all of them at once, for a search that most lines are spared. `cut` if this is the last block although
    the log is longer.
    """

    first: int
    lines: tuple[str, ...]
    text: str
    cut: bool


def blocks(stream: BinaryIO, *, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The log's blocks in order; at least one."""
    context: list[str] = []
    rest = b""
    number, read = 1, 0
    while True:
        chunk = stream.read(size)
        read += len(chunk)
        last = not chunk or read >= LARGEST_LOG
        *whole, rest = (rest + chunk).split(b"\n")
        # Of a line without end only its beginning is kept, as of every line.
        rest = rest[: 2 * LONGEST_LINE]
        if last and rest:
            whole.append(rest)
        lines = [*context, *map(_text, whole)]
        yield Block(number, tuple(lines), "\n".join(lines), cut=last and bool(chunk))
        if last:
            return
        context = lines[-CONTEXT_LINES:]
        number += len(lines) - len(context)


def _text(raw: bytes) -> str:
    """A line as a reader sees it: what a progress bar overwrote and what a terminal was told is left out."""
    if b"\r" in raw:
        raw = raw.rstrip(b"\r").rpartition(b"\r")[2]
    line = raw[: 2 * LONGEST_LINE].decode("utf-8", "replace")[:LONGEST_LINE]
    return _ESCAPE.sub("", line) if "\x1b" in line else line
