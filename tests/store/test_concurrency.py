"""Many that want the same at once: built once, had by all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.store.verifying import verify_environment
from tests.support.tiny import Tiny, in_child

pytestmark = [pytest.mark.network, pytest.mark.slow]


def race(tiny: Tiny, editions: list[str], gun: Path) -> list[int]:
    """Start a process for each edition, let them all go at once, and give back their exit codes."""
    tiny.ensure("warm-up")  # so that the index is asked once, not by whoever is first
    os.mkfifo(gun)
    ready, told = os.pipe()

    def wait() -> None:
        os.write(told, b".")
        with gun.open("rb") as waiting:
            waiting.read()

    children = [
        in_child(lambda edition=edition: tiny.ensure(edition), after=wait)  # type: ignore[misc]
        for edition in editions
    ]
    started = 0
    while started < len(children):
        started += len(os.read(ready, len(children)))
    os.close(os.open(gun, os.O_WRONLY))
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_64_cold_starts_make_one_build(tiny: Tiny, tmp_path: Path) -> None:
    assert race(tiny, ["1"] * 64, tmp_path / "gun") == [0] * 64
    assert len(tiny.builds) == 1 + 1
    assert verify_environment(tiny.ensure().folder) == ()


def test_4_environments_wanted_16_times_each_make_4_builds(tiny: Tiny, tmp_path: Path) -> None:
    assert race(tiny, ["1", "2", "3", "4"] * 16, tmp_path / "gun") == [0] * 64
    assert len(tiny.builds) == 1 + 4
    assert all(verify_environment(tiny.ensure(edition).folder) == () for edition in "1234")
