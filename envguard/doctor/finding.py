"""A finding: what is wrong or worth knowing, the evidence, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["finding", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    A "finding" stops something from working and makes the exit code 1; a "note" is worth knowing but does not stop
    envguard. `remedy` is a command to copy, or a sentence; empty if there is nothing to do. `commands` are what a
    sentence comes to where it can be typed, line by line, in one shell.
    """

    check: str
    level: Level
    what: str
    evidence: str
    remedy: str = ""
    commands: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The finding for `--json`."""
        return {
            "check": self.check,
            "level": self.level,
            "what": self.what,
            "evidence": self.evidence,
            "remedy": self.remedy,
            "commands": list(self.commands),
        }


def shown_of(names: list[str], most: int = 3) -> str:
    """The first of several names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
