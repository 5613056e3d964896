"""Waiting for what another process does, but not for ever."""

from __future__ import annotations

import time
from pathlib import Path

import pytest


def wait_for(path: Path, seconds: float = 30.0) -> None:
    """Return as soon as a path exists; fail the test if it does not in time."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            pytest.fail(f"{path.name} did not appear in {seconds:g} s")
        time.sleep(0.02)


def wait_until_gone(processes: list[int], seconds: float = 30.0) -> None:
    """Return as soon as none of these processes exists any more; fail the test if one does not end in time."""
    end = time.monotonic() + seconds
    while left := [process for process in processes if Path(f"/proc/{process}").exists()]:
        if time.monotonic() > end:
            pytest.fail(f"{left} did not end in {seconds:g} s")
        time.sleep(0.02)
