"""The progress bars of runs on a terminal: one for each run, with its log lines above."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import Progress

from envguard.cli.event_lines import line_for
from envguard.cli.progress_line import ProgressLine
from envguard.cli.text import printable
from envguard.running.events import (
    Building,
    BuildProgress,
    Event,
    Receiver,
    RunFailed,
    StepEnded,
    StepProgress,
    StepStarted,
)


@contextlib.contextmanager
def progress_bars(stream: TextIO) -> Iterator[Callable[[str], Receiver]]:
    """Receivers that show a bar each, by the mark that each line of it starts with."""
    with Progress(ProgressLine(), console=Console(file=stream), transient=True) as progress:
        yield lambda mark: _Bar(progress, mark).show


class _Bar:
    """The bar of the step that a run is at; what is worth keeping is printed above it."""

    def __init__(self, progress: Progress, mark: str) -> None:
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
