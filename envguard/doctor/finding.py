"""A finding: what is wrong or worth knowing, the evidence, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["finding", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    A "finding" stops something from working and makes the exit code 1; a "note" is worth knowing but does not stop
    envguard. `remedy` is a command to copy, or a sentence; empty if there is nothing to do.
    """

    check: str
    level: Level
    what: str
    evidence: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """The finding for `--json`."""
        return asdict(self)
