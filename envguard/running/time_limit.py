"""A step that takes too long is ended."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from envguard.backends.protocol import Running


class TimeLimit:
    """Whether a step was ended because its time was over."""

    def __init__(self) -> None:
        self.over = False


@contextlib.contextmanager
def time_limit(process: Running, seconds: float | None) -> Iterator[TimeLimit]:
    """End a process that is still running after so many seconds; None is no limit."""
    limit = TimeLimit()
    if seconds is None:
        yield limit
        return

    def end() -> None:
        limit.over = True
        process.end()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()
        if limit.over:
            timer.join()  # it is still ending what the step started
