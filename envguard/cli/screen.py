"""How a run looks while it goes on: progress bars on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import TextIO

from envguard.cli.text import can_move_the_cursor, printable
from envguard.running.events import (
    Building,
    BuildProgress,
    Event,
    PassedBy,
    Receiver,
    RunFailed,
    StepEnded,
    StepNote,
    StepProgress,
    StepStarted,
    Waiting,
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
    from rich.console import Console
    from rich.progress import Progress

    from envguard.cli.progress_line import ProgressLine

    with Progress(ProgressLine(), console=Console(file=target), transient=True) as progress:
        yield cache(lambda name: _Bar(progress, _mark(name)).show)


class _Bar:
    """The bar of the step that a run is at; what is worth keeping is printed above it."""

    def __init__(self, progress: object, mark: str) -> None:
        from rich.progress import Progress

        assert isinstance(progress, Progress)
        self._progress = progress
        self._mark = mark
        self._bar = progress.add_task("", total=None, visible=False)
        self._task = next(task for task in progress.tasks if task.id == self._bar)

    def show(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                self._start(step)
            case Building(environment=environment):
                self._start(f"building {environment}")
            case StepProgress(step=step, label=label, done=done, total=total):
                self._move(f"{step}: {label}", done, total)
            case BuildProgress(environment=environment, label=label, done=done, total=total):
                self._move(f"{environment}: {label}", done, total)
            case StepEnded() | RunFailed():
                self._progress.update(self._bar, visible=False)
        line = line_for(event)
        if line:
            self._progress.console.print(self._mark + line, markup=False, highlight=False)

    def _start(self, what: str) -> None:
        self._task.total = None  # which neither `reset` nor `update` can do
        self._progress.reset(self._bar, visible=True, description=self._mark + printable(what))

    def _move(self, what: str, done: float, total: float) -> None:
        """Show how far a part is; the time left is measured anew for each part, the time gone is the whole's."""
        if total != self._task.total or done < self._task.completed:
            self._task.total = None
        description = self._mark + printable(what)
        self._progress.update(self._bar, visible=True, description=description, completed=done, total=total or None)


def _print_line(event: Event, stream: TextIO, mark: str) -> None:
    line = line_for(event)
    if line:
        print(mark + line, file=stream, flush=True)


def _mark(name: str) -> str:
    return printable(f"{name}: ").replace("\n", " ") if name else ""


def line_for(event: Event) -> str:
    """The line that a log keeps of an event; empty for progress, of which there is too much."""
    match event:
        case Building(what=what, why=why):
            text = f"building {what}: {why}"
        case Waiting(environment=environment, holder=holder):
            text = f"waiting for {holder}, which builds {environment}"
        case PassedBy(what=what, why=why):
            text = f"passed by {what}: {why}"
        case StepStarted() | StepProgress() | BuildProgress():
            return ""
        case StepNote(step=step, text=said):
            text = f"{step}: {said}"
        case StepEnded(step=step, seconds=seconds, failures=failures):
            text = f"{step}: {'NO (' + ', '.join(failures) + ')' if failures else 'ok'}, {seconds:.1f} s"
        case RunFailed(why=why):
            text = f"failed: {why}"
    return printable(text)
