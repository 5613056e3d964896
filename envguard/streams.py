"""Let a standard stream that is full or that nobody reads be no reason to stop half-way."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from envguard.system.plain_letters import PLAIN_ENCODING, asks_for_plain_letters, errors_for


@dataclass(slots=True)
class Lost:
    """What of standard output could not be written, and why; `reader_gone` where nobody wanted any more of it."""

    errors: list[OSError] = field(default_factory=list)

    @property
    def why(self) -> str:
        """Why something is lost that somebody wants; empty if nothing is."""
        return next((error.strerror or str(error) for error in self.errors if error.errno not in _READER_GONE), "")


_READER_GONE = (errno.EPIPE, errno.EINVAL) if os.name == "nt" else (errno.EPIPE,)  # as Windows' C library says it


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
    binary = open(number, "wb", closefd=False)  # noqa: SIM115 - closed with what lies over it
    encoding = PLAIN_ENCODING if asks_for_plain_letters(os.environ) else stream.encoding
    over = _Forgiving(
        binary,
        encoding=encoding,
        errors=errors_for(encoding, stream.errors),
        line_buffering=binary.isatty() or stream is sys.stderr,
    )
    over.lost = errors
    return over


class _Forgiving(io.TextIOWrapper):
    """Writes to a file until that fails, and from then on nowhere.

    What writes is Python's own, in C: an interruption between a write and the note of it would print things twice.
    """

    lost: list[OSError]

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost.append(error)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        super().flush()
