"""Steps that need nothing of each other at the same time, each in a thread that waits for the step's process."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from envguard.catalog.model import Step
from envguard.errors import Interrupted

# How often the main thread listens while it waits. On Windows it does not hear of Ctrl-C before; elsewhere the second
# of two signals in a row can be delivered to another thread, and only the main one handles it.
_LISTENING_SECONDS = 0.2

Ended = queue.SimpleQueue[tuple[Step, Exception | None]]


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform.startswith("linux"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_when_ready(
    steps: Sequence[Step], work: Callable[[Step], None], *, at_once: int, end: Callable[[], None]
) -> tuple[Step, Exception] | None:
    """Do the work for every step once all whose files it needs have ended, so many `at_once`.

    A step that measures is alone. `end` ends the processes of all steps under way: where the work for a step raises, no
    other begins, and that step and what was raised are given back; where the user ends the run, Interrupted is raised.
    """
    waiting = list(steps)
    running: dict[str, tuple[Step, threading.Thread]] = {}
    ended: Ended = queue.SimpleQueue()
    failed: tuple[Step, Exception] | None = None
    try:
        while running or (waiting and failed is None):
            for step in _startable(waiting, running, at_once) if failed is None else ():
                thread = threading.Thread(target=_do, args=(work, step, ended), daemon=True)
                thread.start()
                running[step.name] = step, thread
                waiting.remove(step)
            step, error = _next(ended)
            running.pop(step.name)[1].join()
            if error is not None and failed is None:
                failed = step, error
                end()
    except BaseException as error:
        end()
        for _, thread in running.values():
            thread.join()
        if isinstance(error, KeyboardInterrupt):
            next_step = "Run the same command again; what has been built is kept."
            raise Interrupted("Interrupted.", next_step=next_step) from error
        raise
    return failed


def _startable(
    waiting: Sequence[Step], running: Mapping[str, tuple[Step, threading.Thread]], at_once: int
) -> list[Step]:
    """What can begin now, in the task's order; one that measures keeps those after it waiting until it has its turn."""
    if any(step.measures for step, _ in running.values()):
        return []
    missing = {step.name for step in waiting} | running.keys()
    found: list[Step] = []
    for step in waiting:
        if len(running) + len(found) >= at_once:
            break
        if any(reference.step in missing for reference in step.inputs.values()):
            continue
        if step.measures:
            return found if running or found else [step]
        found.append(step)
    return found


def _do(work: Callable[[Step], None], step: Step, ended: Ended) -> None:
    error: Exception | None = None
    try:
        work(step)
    except Exception as caught:
        error = caught
    ended.put((step, error))


def _next(ended: Ended) -> tuple[Step, Exception | None]:
    while True:
        try:
            return ended.get(timeout=_LISTENING_SECONDS)
        except queue.Empty:
            continue
