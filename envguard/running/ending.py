"""How a step's process ended, and the last lines that it printed."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

LOG_TAIL_BYTES = 4000
LOG_TAIL_LINES = 12


def ending(code: int) -> str:
    """How a process ended, in words: its exit code, or the signal that ended it."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def log_tail(log: Path) -> str:
    """The last lines of what a step printed."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:]) or "it printed nothing"
