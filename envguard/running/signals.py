"""Make SIGTERM unwind the program as Ctrl-C does, so that it leaves no children and no partial files behind."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn


def unwind_on_sigterm() -> None:
    """Make SIGTERM raise SystemExit with the exit code that shells use for it (128 + 15)."""
    signal.signal(signal.SIGTERM, _unwind)


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
