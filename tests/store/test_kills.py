"""Killed at any moment: the next run has a whole environment."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable

import pytest

from envguard.store.environments import move_aside
from envguard.store.fingerprint import MARKER
from envguard.store.verifying import verify_environment
from tests.support.tiny import Tiny, in_child, kill_all

pytestmark = [pytest.mark.network, pytest.mark.slow]

KILLS = 100


def kill_at_random_points(tiny: Tiny, kill: Callable[[int], None], seed: int) -> int:
    """Kill a build, run again, and check what there is then; gives back how many builds were cut short."""
    folder = tiny.ensure().folder
    durations = []
    for _ in range(3):
        remove(tiny)
        started = time.monotonic()
        tiny.ensure()
        durations.append(time.monotonic() - started)
    points = random.Random(seed)
    cut_short = 0
    for number in range(KILLS):
        remove(tiny)
        child = in_child(tiny.ensure)
        time.sleep(points.uniform(0.0, sorted(durations)[1]))
        kill(child)
        os.waitpid(child, 0)
        cut_short += not (folder / MARKER).exists()
        assert tiny.ensure().folder == folder
        assert verify_environment(folder) == (), f"after kill {number}"
    assert not list(folder.parent.glob("*.part"))
    return cut_short


def remove(tiny: Tiny) -> None:
    aside = move_aside(tiny.home / "environments" / tiny.identity().folder_name)
    assert aside is not None
    shutil.rmtree(aside)


def test_builds_whose_whole_group_is_killed_are_followed_by_whole_ones(tiny: Tiny) -> None:
    assert kill_at_random_points(tiny, kill_all, seed=1) > KILLS / 2


def test_builds_whose_parent_alone_is_killed_are_followed_by_whole_ones(tiny: Tiny) -> None:
    assert kill_at_random_points(tiny, lambda child: os.kill(child, signal.SIGKILL), seed=2) > KILLS / 2
