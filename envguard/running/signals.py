"""Make what ends a program unwind it as Ctrl-C does, so that it leaves no children and no partial files behind."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGTERM, *([] if not hasattr(signal, "SIGHUP") else [signal.SIGHUP]))
"""What asks a program to end, besides Ctrl-C; SIGHUP comes when its terminal is closed."""


def unwind_on_ending() -> None:
    """Make each of them raise SystemExit with the exit code that shells use for it (128 and its number).

    What the program was started to ignore, as by `nohup`, it still ignores. Ctrl-C raises KeyboardInterrupt.
    """
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _unwind)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    for each in ENDING:  # a terminal that is closed may be followed by a SIGTERM: what unwinds must not start again
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
