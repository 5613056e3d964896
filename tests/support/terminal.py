"""A terminal of a given width, for what looks different on one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-7]|38;[0-9;]+|9[0-7])(?:;[0-9;]+)?m")


@dataclass(frozen=True)
class Shown:
    """What a terminal got from a command that ended with `code`."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """Everything that ever stood on a line of it, without escape sequences."""
        return [line.rstrip() for line in re.split(r"[\r\n]+", ESCAPE.sub("", self.raw)) if line.strip()]

    @property
    def widest(self) -> int:
        """Columns of the widest line."""
        return max(map(len, self.lines), default=0)


def on_terminal(
    command: Sequence[str | Path], columns: int, environ: Mapping[str, str], cwd: Path, keys: str = ""
) -> Shown:
    """Run a command on a terminal of its own with so many columns, where `keys` are pressed once it asks `Press …`.

    NO_COLOR, CI and the like are only what is given.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    outer = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CI")
    }
    process = subprocess.Popen(
        list(command), stdin=its, stdout=its, stderr=its, cwd=cwd, env={**outer, "TERM": "xterm-256color", **environ}
    )
    os.close(its)
    said = bytearray()
    with contextlib.suppress(OSError):  # Linux ends a terminal that nobody holds any more with an error
        while True:
            # A program that wants one key drops what was pressed before it was ready for that.
            while keys and b"Press " in said and not select.select([ours], [], [], 0.5)[0]:
                os.write(ours, keys.encode())
            if not (chunk := os.read(ours, 65536)):
                break
            said += chunk
    os.close(ours)
    return Shown(process.wait(), said.decode())


def envguard_on_terminal(
    *arguments: str | Path, home: Path, columns: int = 80, cwd: Path | None = None, keys: str = "", **environ: str
) -> Shown:
    """Run `envguard` on such a terminal, with a store of the test's choice."""
    command = [sys.executable, "-I", "-m", "envguard", *arguments]
    return on_terminal(command, columns, {"ENVGUARD_HOME": str(home), **environ}, cwd or home, keys)
