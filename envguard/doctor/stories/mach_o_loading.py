"""Why macOS did not load a library: the reason that tells most of those that its loader lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

from envguard.doctor.stories.told import Told

LONGEST_SENTENCE = 8
_ARCHITECTURE = re.compile(
    r"incompatible architecture \(have \W{0,2}(?P<have>\w{1,12}).{0,60}?need \W{0,2}(?P<need>\w{1,12})"
    r"|missing compatible arch\w*|wrong architecture"
)
_SIGNATURE = re.compile(
    r"not valid for use in process|library load disallowed by system policy|code signature invalid"
    r"|have different Team IDs|Trying to load an unsigned library"
)
_RPATH = re.compile(r"duplicate LC_RPATH '(?P<path>[^']{1,300})'")
_LIBRARY = re.compile(r"Library not loaded: '?(?P<library>[^\s'\"]{1,300})")
_SYMBOL = re.compile(r"Symbol not found: \(?(?P<symbol>\w{1,200})")


def read(rows: Sequence[str], index: int) -> Told | None:
    """`architecture`, `signature`, `rpath`, `library` or `symbol`."""
    said = " ".join(row.strip() for row in rows[index : index + LONGEST_SENTENCE])
    found = _ARCHITECTURE.search(said)
    if found:
        return Told(
            "architecture", index, {"have": found["have"] or "another processor", "need": found["need"] or "this one"}
        )
    if _SIGNATURE.search(said):
        return Told("signature", index, {})
    for kind, pattern in (("rpath", _RPATH), ("library", _LIBRARY), ("symbol", _SYMBOL)):
        found = pattern.search(said)
        if found and found.start() <= len(rows[index]):
            return Told(kind, index, found.groupdict())
    return None
