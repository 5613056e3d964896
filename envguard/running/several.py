"""Several runs at a time, each in a process of its own: one that fails takes no other with it, and all end together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from envguard.errors import EnvguardError, Interrupted, StepFailed, unforeseen
from envguard.running.ending import ending
from envguard.running.events import Receiver, RunFailed
from envguard.running.measuring_alone import taking_part
from envguard.running.signals import ENDING, unwind_on_ending
from envguard.running.task_order import Alone

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

# A step that is asked to end is killed after three seconds; its run then clears up.
GRACE_SECONDS = 10.0
HELD = (signal.SIGINT, *ENDING)

Job = TypeVar("Job")
Made = TypeVar("Made")
Work = Callable[[Job, Receiver, Alone], Made]


@dataclass(frozen=True, slots=True)
class RunError:
    """The error that ended a run, as a value that can go to another process."""

    what: str
    why: str
    next_step: str
    exit_code: int

    @classmethod
    def of(cls, error: EnvguardError) -> RunError:
        """What the error says."""
        return cls(error.what, error.why, error.next_step, error.exit_code)


@dataclass(frozen=True, slots=True)
class _Ended(Generic[Made]):
    """What became of a job."""

    result: Made | RunError


def run_each(
    work: Work[Job, Made], jobs: Mapping[str, Job], *, at_once: int, lock: Path, receiver: Callable[[str], Receiver]
) -> dict[str, Made | RunError]:
    """Do the work for every job, by name, `at_once` at a time; `receiver` gives who is told of each one's events.

    `work` is a function of a module; jobs and what is made of them can be pickled; `lock` is the file by which steps
    that measure keep the others waiting. If the call is ended (SIGTERM, or Ctrl-C, which raises Interrupted), every
    run ends too and clears up as if it were alone.
    """
    waiting = deque(jobs.items())
    results: dict[str, Made | RunError] = {}
    lanes: dict[Connection, _Lane[Job, Made]] = {}
    try:
        while waiting or lanes:
            while waiting and len(lanes) < at_once:
                lane = _Lane[Job, Made].started(work, lock)
                lanes[lane.connection] = lane
                lane.give(*waiting.popleft())
            for connection in wait(list(lanes)):
                assert isinstance(connection, Connection)
                lane = lanes[connection]
                receive = receiver(lane.name)
                ended = lane.hear(receive)
                if ended is not None:
                    results[lane.name] = ended.result
                    if isinstance(ended.result, RunError):
                        receive(RunFailed(ended.result.what))
                    if waiting and lane.process.is_alive():
                        lane.give(*waiting.popleft())
                    else:
                        lanes.pop(connection).close()
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted.", next_step="Run the same command again; what was built is kept.") from error
    finally:
        _end(lanes.values())
    return {name: results[name] for name in jobs}


class _Lane(Generic[Job, Made]):
    """A process that does one job after the other, so that no start disturbs what another one measures."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection
        self.name = ""

    @classmethod
    def started(cls, work: Work[Job, Made], lock: Path) -> _Lane[Job, Made]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, work, lock), daemon=True)
        if sys.platform != "win32":
            resource_tracker.ensure_running()  # its own start would let the signals through
        with _signals_held():
            process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, name: str, job: Job) -> None:
        """Hand over a job; what becomes of it is heard."""
        self.name = name
        with contextlib.suppress(OSError):  # the process has ended; hearing of it tells how
            self.connection.send(job)

    def hear(self, receive: Receiver) -> _Ended[Made] | None:
        """Pass an event on, or give back what became of the job."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            assert self.process.exitcode is not None
            what = f"The process of {self.name} {ending(self.process.exitcode)}."
            return _Ended(RunError.of(StepFailed(what, next_step="Run it once more, alone.")))
        if isinstance(message, _Ended):
            return message
        receive(message)
        return None

    def close(self) -> None:
        """Let the process end; it does when there is nobody to give it a job."""
        self.connection.close()
        self.process.join(GRACE_SECONDS)


def _end(lanes: Collection[_Lane[Any, Any]]) -> None:
    """End runs that are under way: politely and all at once, then surely."""
    for lane in lanes:
        lane.process.terminate()
    for lane in lanes:
        lane.process.join(GRACE_SECONDS)
        lane.process.kill()
        lane.process.join()


def _serve(connection: Connection, work: Work[Job, Made], lock: Path) -> None:
    """The process: jobs in, events and outcomes out, until there is nobody at the other end."""
    # Ctrl-C in a terminal, and its end, reach this process too and must not end it twice; a step of ours starts without
    # handlers.
    unwind_on_ending()
    signal.signal(signal.SIGINT, _leave_to_the_parent)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, _leave_to_the_parent)
    # Started while signals are held, the thread never gets one: it would not wake the main thread, which handles it.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _let_signals_through()
    with contextlib.suppress(EOFError, OSError):
        while True:
            job = connection.recv()
            with taking_part(lock) as alone:
                connection.send(_ended(work, job, connection.send, alone))


def _ended(work: Work[Job, Made], job: Job, receive: Receiver, alone: Alone) -> _Ended[Made]:
    try:
        return _Ended(work(job, receive, alone))
    except Exception as error:
        return _Ended(RunError.of(error if isinstance(error, EnvguardError) else unforeseen(error)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _leave_to_the_parent(_number: int, _frame: FrameType | None) -> None:
    """The parent hears of it as well and ends us with SIGTERM."""


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Keep what ends a program waiting; a process started meanwhile keeps it waiting too, until it is ready."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _let_signals_through() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
