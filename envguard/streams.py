"""Let a standard stream that is full or that nobody reads be no reason to stop half-way."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Lost:
    """What of standard output could not be written, and why; `reader_gone` where nobody wanted any more of it."""

    errors: list[OSError] = field(default_factory=list)

    @property
    def why(self) -> str:
        """Why something is lost that somebody wants; empty if nothing is."""
        return next((error.strerror or str(error) for error in self.errors if error.errno != _READER_GONE), "")


_READER_GONE = 32  # EPIPE, wherever there are pipes


@contextlib.contextmanager
def printing_never_fails() -> Iterator[Lost]:
    """Let what is printed to a stream that takes no more be lost, and tell: the work goes on, and ends as it would."""
    out, err = sys.stdout, sys.stderr
    lost = Lost()
    sys.stdout, sys.stderr = _over(out, lost.errors), _over(err, [])
    try:
        yield lost
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = out, err


def _over(stream: TextIO, errors: list[OSError]) -> TextIO:
    """A stream to the same place; one of no file, as tests put there, as it is."""
    try:
        stream.flush()
        number = stream.fileno()
    except (OSError, ValueError):
        return stream
    raw = _Sink(number, errors)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=raw.isatty() or stream is sys.stderr,
    )


class _Sink(io.RawIOBase):
    """Writes to a descriptor until that fails, and from then on nowhere."""

    def __init__(self, number: int, errors: list[OSError]) -> None:
        super().__init__()
        self._number = number
        self._errors = errors
        self._open = True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        piece = bytes(content)  # type: ignore[call-overload]  # a buffer, as io promises
        if self._open:
            try:
                return os.write(self._number, piece)
            except BlockingIOError:
                raise
            except OSError as error:
                self._errors.append(error)
                self._open = False
        return len(piece)
