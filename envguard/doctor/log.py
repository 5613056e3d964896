"""Read a log in blocks of lines: once, in constant memory, however long the log or a line is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
LARGEST_LOG = 256 << 20
LONGEST_LINE = 4000
CONTEXT_LINES = 200
"""How many lines two blocks share, so that what spans several lines is complete in one of them."""

_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(\x07|\x1b\\)?)")


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines of a log; `first` is the number of the first one, counted from 1.

    `text` is all lines at once, for searches that rule out most blocks. `cut` tells that this is the last block
    although the log is longer.
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
        # Only the beginning of an endless line is kept, as of every line.
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
    """A line as a reader sees it, without what a progress bar overwrote and without terminal escapes."""
    if b"\r" in raw:
        raw = raw.rstrip(b"\r").rpartition(b"\r")[2]
    line = raw[: 2 * LONGEST_LINE].decode("utf-8", "replace")[:LONGEST_LINE]
    return _ESCAPE.sub("", line) if "\x1b" in line else line
