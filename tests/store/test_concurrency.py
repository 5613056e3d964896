"""Many that want the same at once: built once, had by all."""

from __future__ import annotations

import os

import pytest

from envguard.store.verifying import verify_environment
from tests.support.tiny import Tiny, in_child

pytestmark = [pytest.mark.network, pytest.mark.slow]


def race(tiny: Tiny, editions: list[str]) -> list[int]:
    """Start a process for each edition, let them all go at once, and give back their exit codes."""
    tiny.ensure("warm-up")  # so that the index is asked once, not by whoever is first
    (ready, told), (gun, fired) = os.pipe(), os.pipe()

    def wait() -> None:
        os.close(fired)  # else the ends that the children have would keep the pipe open
        os.write(told, b".")
        os.read(gun, 1)

    children = [
        in_child(lambda edition=edition: tiny.ensure(edition), after=wait)  # type: ignore[misc]
        for edition in editions
    ]
    os.close(told)
    for number in range(len(children)):
        assert os.read(ready, 1), f"only {number} of {len(children)} processes have started"
    os.close(fired)  # which ends the read of all at once, and of any that would come to it later
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    os.close(ready)
    os.close(gun)
    return codes


def test_64_cold_starts_make_one_build(tiny: Tiny) -> None:
    assert race(tiny, ["1"] * 64) == [0] * 64
    assert len(tiny.builds) == 1 + 1
    assert verify_environment(tiny.ensure().folder) == ()


def test_4_environments_wanted_16_times_each_make_4_builds(tiny: Tiny) -> None:
    assert race(tiny, ["1", "2", "3", "4"] * 16) == [0] * 64
    assert len(tiny.builds) == 1 + 4
    assert all(verify_environment(tiny.ensure(edition).folder) == () for edition in "1234")
