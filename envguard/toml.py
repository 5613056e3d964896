"""Read TOML on every Python that envguard runs on: with the standard library, or its backport on 3.10."""

from __future__ import annotations

import re
import sys

from envguard.documents import refuse_deep

if sys.version_info >= (3, 11):
    from tomllib import loads as _loads
else:
    from tomli import loads as _loads

MOST_PARTS = 64
"""Of a dotted key; parsers take time by the square of that: a hundred kilobytes of one key take a minute."""

# Each alternative takes what it can and never fails late, so that no line takes longer than its length.
_TOKEN = re.compile(r""""(?:\\.|[^"\\])*"?|'[^']*'?|[A-Za-z0-9_-]+|[ \t]+|.""", re.DOTALL)


def parse_toml(text: str) -> dict[str, object]:
    """Parse a document; raises ValueError if it is not TOML, is nested deeper or has longer keys than any of ours."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= MOST_PARTS and _parts(line) > MOST_PARTS:
            raise ValueError(f"a key has more than {MOST_PARTS} parts (at line {number})")
    try:
        document: dict[str, object] = _loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    refuse_deep(document)
    return document


def _parts(line: str) -> int:
    """How many parts the longest dotted key of a line has."""
    most = parts = 1
    for token in _TOKEN.findall(line):
        if token == ".":
            parts += 1
        elif not (token[0] in "\"' \t_-" or token[0].isalnum()):
            parts = 1
        most = max(most, parts)
    return most
