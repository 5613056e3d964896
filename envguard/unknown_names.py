"""The error for a name that nothing has: the nearest one that something has, then all of them."""

from __future__ import annotations

from collections.abc import Iterable

from envguard.errors import BadInput
from envguard.table_reader import did_you_mean


def unknown_name(nothing: str, name: str, known: Iterable[str]) -> BadInput:
    """The error that begins `nothing` (such as "There is no environment") and lists the known names."""
    names = list(known)
    near = did_you_mean(name, names) or "."
    return BadInput(f"{nothing} {name!r}{near}", next_step=f"Choose one of: {', '.join(names)}.")
