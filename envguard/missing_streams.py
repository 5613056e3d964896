"""Open the standard streams that a process was started without. Every start imports this module."""

from __future__ import annotations

import os
import sys

NAMES = ("stdin", "stdout", "stderr")


def open_missing_streams() -> None:
    """Open what this process was started without, on nothing that can be written to.

    Else the next file to be opened would get its number, and be written to by whoever prints. Printing still fails.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free: this one. A command that is started finds it closed, as it was.
            os.open(os.devnull, os.O_RDONLY)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
