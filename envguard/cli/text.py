"""Text that is safe to print: names of files and packages come from strangers."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from typing import TextIO

from envguard.errors import EnvguardError

WIDTH = 80
LEAST_WIDTH = 20
LABEL = "\x1b[1;31m"
QUIET = "\x1b[2m"
RESET = "\x1b[0m"


def printable(text: str) -> str:
    """The text with every control character but the line feed written as an escape."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def can_move_the_cursor(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether lines that were printed can be printed over: on a terminal that is not a dumb one, nor to stay plain."""
    return environ.get("TERM") != "dumb" and not environ.get("NO_COLOR") and stream.isatty()


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour: NO_COLOR says no, then FORCE_COLOR yes (no-color.org, force-color.org); else on a terminal."""
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or can_move_the_cursor(stream, environ)


def fitting(line: str, stream: TextIO) -> str:
    """A line broken between words for a terminal's width; for a file, which may be searched, left as it is."""
    if not stream.isatty():
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, width_of(stream), subsequent_indent=indent, break_on_hyphens=False)


def width_of(stream: TextIO) -> int:
    """Columns that a table may have: those of the terminal, but at most, and in a file always, 80."""
    return min(max(shutil.get_terminal_size().columns, LEAST_WIDTH), WIDTH) if stream.isatty() else WIDTH


def coloured(text: str) -> str:
    """An error's text with its labels coloured; the words stay as the terminal shows all others."""
    first, *rest = text.split("\n")
    lines = [first.replace("envguard:", f"{LABEL}envguard:{RESET}", 1)]
    for line in rest:
        label = line[:8]
        lines.append(f"{QUIET}{label}{RESET}{line[8:]}" if label.strip() else line)
    return "\n".join(lines)


def error_text(error: EnvguardError) -> str:
    """What happened, why, and what to do next, each part only if there is something to say."""
    lines = [f"envguard: {error.what}"]
    for label, text in (("why", error.why), ("next", error.next_step)):
        if text:
            first, *rest = text.splitlines()
            lines.append(f"  {label + ':':6}{first}")
            lines.extend(f"        {line}" for line in rest)
    return printable("\n".join(lines))
