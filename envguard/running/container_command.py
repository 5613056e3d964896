"""A user's own command in a container: it may write to the current folder, and prints as it would here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from envguard.backends.command import command_line
from envguard.running.preparing import Prepared, Workshop


def run_contained(workshop: Workshop, prepared: Prepared, command: Sequence[str], *, here: bool = False) -> int:
    """Run a command in an environment's container, in the current folder; gives back its exit code.

    It reads nothing from us, and has no terminal and no network.
    """
    place = workshop.place(prepared, Path.cwd(), [])
    line = command_line(command, place.seen(place.layout.python), here=here)
    variables = {**place.variables(workshop.environ), "HOME": "/tmp", "PYTHONUNBUFFERED": "1"}
    with place.process(line, variables, sys.stderr.buffer, talks=True) as process:
        assert process.stdout is not None
        while piece := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]  # of a pipe, which is buffered
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        code = process.wait()
    return code if code >= 0 else 128 - code
