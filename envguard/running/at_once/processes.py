"""The processes of steps that run at the same time, so that all of them can be ended."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from envguard.backends.protocol import Running
from envguard.errors import StepFailed


class EndedWithTheRun(StepFailed):
    """A step was ended because its run was: by another step that failed, or by the user."""


class Processes:
    """Those that are running; once they are to end, no other one lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Running] = []
        self._over = False

    @contextlib.contextmanager
    def holding(self, process: Running) -> Iterator[None]:
        """Count a process in during the block; raises EndedWithTheRun after it where all were to end meanwhile."""
        with self._lock:
            self._running.append(process)
            over = self._over
        try:
            if over:
                process.end()
            yield
        finally:
            with self._lock:
                self._running.remove(process)
                over = self._over
        if over:
            raise EndedWithTheRun("The step was ended with its run.", next_step="Run the same command again.")

    def end(self) -> None:
        """End them all, and whatever is counted in from now on."""
        with self._lock:  # none may close while it is being ended
            self._over = True
            enders = [threading.Thread(target=each.end) for each in self._running]
            for ender in enders:
                ender.start()
            for ender in enders:
                ender.join()
