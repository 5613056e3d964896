"""Waiting for what another process does: for as long as that takes, and no longer than it lives.

How long a test may take at all is said in tests/conftest.py, and no wait has a limit of its own: that would be one for
the machine, which may be busy.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")


def wait_until(there: Callable[[], T], process: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None) -> T:
    """What is there, as soon as it is not empty; fails the test if the process ends that is to make it so."""
    while not (found := there()):
        if process and process.poll() is not None and not (found := there()):
            pytest.fail(f"what was waited for did not come: the process ended with exit code {process.returncode}")
        time.sleep(0.02)
    return found


def wait_until_gone(processes: list[int]) -> None:
    """Return as soon as none of these processes goes on; those that still do when the test's time is up are killed."""
    left = processes
    try:
        while left := [process for process in left if _goes_on(process)]:
            time.sleep(0.02)
    finally:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def _goes_on(process: int) -> bool:
    """Whether it exists and has not ended, as a zombie has whom nobody asks how."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
