"""The progress line: what goes on, how far it is, for how long it has gone on and where it can be known still will."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import ProgressColumn, Task
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BAR_WIDTH = 24

# In a window of fewer columns the words need the room more than the bar does.
LEAST_FOR_BAR = 70


class ProgressLine(ProgressColumn):
    """All of the line as one column, because only then it is the words that are cut where there is no room."""

    def render(self, task: Task) -> RenderableType:
        """What there is to show of a task at this moment."""
        return _Line(task)


class _Line:
    """Words, bar and times within the window as wide as it is now."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        times = _times(self._task)
        cells: list[RenderableType] = [Text(self._task.description), Text(times)]
        widths = [len(times)]
        if options.max_width >= LEAST_FOR_BAR:
            cells.insert(1, _bar(self._task))
            widths.insert(0, BAR_WIDTH)
        grid = Table.grid(padding=(0, 1), pad_edge=False)
        for width in (max(1, options.max_width - sum(widths) - len(widths)), *widths):
            grid.add_column(width=width, no_wrap=True, overflow="ellipsis")
        grid.add_row(*cells)
        yield grid


def _bar(task: Task) -> ProgressBar:
    """A bar that wanders where nobody knows how much there is to do."""
    return ProgressBar(
        total=task.total,
        completed=task.completed,
        width=BAR_WIDTH,
        pulse=task.total is None,
        animation_time=task.get_time(),
    )


def _times(task: Task) -> str:
    left = None if task.total is None else task.time_remaining
    return clock(task.elapsed or 0) + ("" if left is None else f", {clock(left)} left")


def clock(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
