"""The logs that tools printed here and elsewhere, kept as files: `failures/RULE.SCENARIO.log` and `clean/*.log`."""

from __future__ import annotations

from pathlib import Path

LOGS = Path(__file__).parents[1] / "doctor" / "logs"


def failures() -> list[tuple[str, Path]]:
    """Each failure's log with the rule that must be its first hint."""
    return [(path.name.partition(".")[0], path) for path in sorted((LOGS / "failures").glob("*.log"))]


def clean() -> list[Path]:
    """What tools printed that worked."""
    return sorted((LOGS / "clean").glob("*.log"))
