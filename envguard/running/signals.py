"""Being asked to end (SIGTERM) unwinds the program as Ctrl-C does, so that no child and no half file stays behind."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn


def unwind_on_sigterm() -> None:
    """Let SIGTERM raise SystemExit with the exit code that shells give it (128 + 15)."""
    signal.signal(signal.SIGTERM, _unwind)


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
