"""Which file of a project a command runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.catalog.references import PLACEHOLDER

PYTHONS = ("python", "python3")


def script_of(command: Sequence[str], project: Path) -> Path | None:
    """The file of the project that a command runs, or None if it runs a program of its environment."""
    program, *arguments = command
    if program in PYTHONS:
        first = arguments[0] if arguments else "-"
        return None if first.startswith("-") or PLACEHOLDER.search(first) else project / first
    return project / program if "/" in program else None
