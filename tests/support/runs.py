"""Work for `run_each`, which starts it in processes of its own, so it needs a module that these can import."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import BadInput, Interrupted
from envguard.running.events import Receiver, StepNote
from envguard.running.pipeline import run_task
from envguard.running.several import run_each
from envguard.running.signals import unwind_on_ending
from envguard.running.task_order import Alone, TaskOrder
from tests.support.projects import shop_of


@dataclass(frozen=True)
class Doubled:
    """Twice a number, the process that doubled it, and one."""

    doubled: int
    process: int
    one: int


def double(job: int, receive: Receiver, _alone: Alone) -> Doubled:
    """Twice the number, told on the way; a negative one is bad, 13 kills the process, 0 is a fault in the code."""
    receive(StepNote("double", f"{job} twice"))
    if job < 0:
        raise BadInput(f"{job} is negative.", why="nobody knows", next_step="Name another.")
    if job == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return Doubled(2 * job, os.getpid(), job // job)


def run_in(job: tuple[Path, Path, Path], receive: Receiver, alone: Alone) -> None:
    """The task `work` of a project, on no input: (project, store, target)."""
    project, home, target = job
    shop = shop_of(project, home)
    shop.receive = receive
    run_task(TaskOrder(shop.catalog.tasks["work"], {}, target), shop, alone)


def main() -> None:
    """A program: two runs at a time; project, store and the folder of outputs are the arguments."""
    unwind_on_ending()
    project, home, folder = map(Path, sys.argv[1:])
    jobs = {name: (project, home, folder / f"{name}.txt") for name in ("one", "two")}
    try:
        run_each(run_in, jobs, at_once=2, lock=home / "measuring.lock", receiver=lambda _: print)
    except Interrupted as error:
        sys.exit(error.exit_code)
