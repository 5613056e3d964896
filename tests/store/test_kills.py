"""Killed at any moment: the next run has a whole environment."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from envguard.store.environments import move_aside
from envguard.store.fingerprint import MARKER
from envguard.store.verifying import verify_environment
from tests.support.tiny import Tiny, in_child, kill_all

pytestmark = [pytest.mark.network, pytest.mark.slow]

KILLS = 100
MOMENT = 0.05  # seconds, in which uv installs what these builds install


def kill_at_random_points(tiny: Tiny, kill: Callable[[int], None], seed: int) -> int:
    """Kill a build, run again, and check what there is then; gives back how many builds were cut short.

    A build stops itself at a line of its code and is killed there, however busy the machine is; what it started may go
    on for a random moment.
    """
    folder = tiny.ensure().folder
    remove(tiny)
    lines = count_lines(tiny.ensure)
    points = random.Random(seed)
    cut_short = 0
    for number in range(KILLS):
        remove(tiny)
        line = points.randrange(lines)
        child = in_child(lambda: stop_at(line, tiny.ensure))  # noqa: B023 - it runs at once
        os.waitpid(child, os.WUNTRACED)
        time.sleep(points.uniform(0.0, MOMENT))
        kill(child)
        with contextlib.suppress(ChildProcessError):  # it was done before it came to that line
            os.waitpid(child, 0)
        cut_short += not (folder / MARKER).exists()
        assert tiny.ensure().folder == folder
        assert verify_environment(folder) == (), f"after kill {number}"
    assert not list(folder.parent.glob("*.part"))
    return cut_short


def count_lines(work: Callable[[], object]) -> int:
    """Do it, and give back how many lines of envguard and of what starts processes it runs."""
    return _traced(work, lambda _: None)


def stop_at(line: int, work: Callable[[], object]) -> None:
    """Do it, but stop this process for good once it has run that many lines."""
    _traced(work, lambda count: os.kill(os.getpid(), signal.SIGSTOP) if count == line else None)


def _traced(work: Callable[[], object], told: Callable[[int], None]) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Callable[..., Any] | None:
        nonlocal count
        if not frame.f_globals.get("__name__", "").startswith(("envguard.", "subprocess")):
            return None
        if event == "line":
            told(count)
            count += 1
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


def remove(tiny: Tiny) -> None:
    aside = move_aside(tiny.home / "environments" / tiny.identity().folder_name)
    assert aside is not None
    shutil.rmtree(aside)


def test_builds_whose_whole_group_is_killed_are_followed_by_whole_ones(tiny: Tiny) -> None:
    assert kill_at_random_points(tiny, kill_all, seed=1) > KILLS / 2


def test_builds_whose_parent_alone_is_killed_are_followed_by_whole_ones(tiny: Tiny) -> None:
    assert kill_at_random_points(tiny, lambda child: os.kill(child, signal.SIGKILL), seed=2) > KILLS / 2
