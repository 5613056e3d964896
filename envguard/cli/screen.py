"""How a run looks while it goes on: progress bars on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import TextIO

from envguard.cli.event_lines import line_for
from envguard.cli.text import can_move_the_cursor, printable
from envguard.running.events import (
    Event,
    Receiver,
)


@contextlib.contextmanager
def screen(stream: TextIO | None = None) -> Iterator[Receiver]:
    """A receiver of a run's events that shows them for as long as the block lasts."""
    with screens(stream) as receiver:
        yield receiver("")


@contextlib.contextmanager
def screens(stream: TextIO | None = None) -> Iterator[Callable[[str], Receiver]]:
    """The same for several runs at a time: a receiver for each name, which every line and bar of that run starts with.

    The name may be empty.
    """
    target = sys.stderr if stream is None else stream
    if not can_move_the_cursor(target, os.environ):
        yield lambda name: lambda event: _print_line(event, target, _mark(name))
        return
    # rich is needed on a terminal only.
    from envguard.cli.progress_bars import progress_bars

    with progress_bars(target) as bar_for:
        yield cache(lambda name: bar_for(_mark(name)))


def _print_line(event: Event, stream: TextIO, mark: str) -> None:
    line = line_for(event)
    if line:
        print(mark + line, file=stream, flush=True)


def _mark(name: str) -> str:
    return printable(f"{name}: ").replace("\n", " ") if name else ""
