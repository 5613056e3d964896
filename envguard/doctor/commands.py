"""Fill a cure's commands with what a log names, quoted for a shell: a log may be anybody's."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Mapping, Sequence

PYTHON = "python"
"""The placeholder for the Python that a log tells of; where it names none, the one that users type."""

_NEARBY = 60
_PROGRAM = re.compile(r"(?P<program>/[^\s\"':]{1,300}/bin/python[0-9.]{0,5})(?![\w./-])")
_PACKAGES = re.compile(
    r"(?:\"(?P<quoted>/[^\"]{1,300}?)|(?P<plain>/[^\s\"']{1,300}?))/lib(?:64)?/python[0-9.]{1,5}/(?:site|dist)-packages"
)


def filled(
    commands: Sequence[str], values: Mapping[str, str], rows: Sequence[str], matched: int, length: int
) -> tuple[str, ...]:
    """The commands with the log's names: those of the `length` rows from the `matched` one, or of those near it.

    None at all where a name is missing, or would be read as an option.
    """
    if not commands:
        return ()
    known = {**values, PYTHON: python_named(rows, matched, length)}
    for command in commands:
        for name in names_in(command):
            if not known[name] or (known[name].startswith("-") and f" {{{name}}}" in command):
                return ()
    quoted = {name: shlex.quote(value) for name, value in known.items()}
    return tuple(command.format_map(quoted) for command in commands)


def names_in(text: str) -> tuple[str, ...]:
    """The placeholders of a text."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def python_named(rows: Sequence[str], matched: int, length: int) -> str:
    """The Python that a log tells of, named in or nearest before the matched rows."""
    for row in reversed(rows[max(0, matched - _NEARBY) : matched + length]):
        program, packages = _PROGRAM.search(row), _PACKAGES.search(row)
        if program:
            return program["program"]
        if packages:
            return f"{packages['quoted'] or packages['plain']}/bin/python"
    return PYTHON
