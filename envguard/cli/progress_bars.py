"""The progress bars of runs on a terminal: one for each step under way, with the log lines above."""

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
        yield lambda mark: _Bars(progress, mark).show


class _Bars:
    """The bars of the steps that a run is at; what is worth keeping is printed above them."""

    def __init__(self, progress: Progress, mark: str) -> None:
        self._progress = progress
        self._mark = mark
        self._bars: dict[str, _Bar] = {}

    def show(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                self._hide("")  # whatever was built for it is ready
                self._bar(step).start(self._mark + printable(step))
            case Building(environment=environment):
                self._bar("").start(self._mark + printable(f"building {environment}"))
            case StepProgress(step=step, label=label, done=done, total=total):
                self._bar(step).move(self._mark + printable(f"{step}: {label}"), done, total)
            case BuildProgress(environment=environment, label=label, done=done, total=total):
                self._bar("").move(self._mark + printable(f"{environment}: {label}"), done, total)
            case StepEnded(step=step):
                self._hide(step)
            case RunFailed():
                for each in [*self._bars]:
                    self._hide(each)
        line = line_for(event)
        if line:
            self._progress.console.print(self._mark + line, markup=False, highlight=False)

    def _bar(self, step: str) -> _Bar:
        """The bar of a step, or of what is built, whose name is empty."""
        if step not in self._bars:
            self._bars[step] = _Bar(self._progress)
        return self._bars[step]

    def _hide(self, step: str) -> None:
        if step in self._bars:
            self._bars.pop(step).remove()


class _Bar:
    """A bar on the terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar = progress.add_task("", total=None, visible=False)
        self._task = next(task for task in progress.tasks if task.id == self._bar)

    def start(self, what: str) -> None:
        self._task.total = None  # which neither `reset` nor `update` can do
        self._progress.reset(self._bar, visible=True, description=what)

    def move(self, what: str, done: float, total: float) -> None:
        """Show how far a part is; the time left is measured anew for each part, the time gone is the whole's."""
        if total != self._task.total or done < self._task.completed:
            self._task.total = None
        self._progress.update(self._bar, visible=True, description=what, completed=done, total=total or None)

    def remove(self) -> None:
        self._progress.remove_task(self._bar)
