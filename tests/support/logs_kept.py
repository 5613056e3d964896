"""The logs that tools printed, kept as files: `failures/RULE.SCENARIO.log`, `clean/*.log` and `threads/*.log`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envguard.doctor.diagnosing import diagnose
from envguard.toml import parse_toml

LOGS = Path(__file__).parents[1] / "doctor" / "logs"
THREADS = LOGS.with_name("threads.toml")


def failures() -> list[tuple[str, Path]]:
    """Each failure's log with the rule that must be its first hint."""
    return [(path.name.partition(".")[0], path) for path in sorted((LOGS / "failures").glob("*.log"))]


def clean() -> list[Path]:
    """What tools printed that worked."""
    return sorted((LOGS / "clean").glob("*.log"))


@dataclass(frozen=True, slots=True)
class Rates:
    """Of the texts of one half: how many have a right hint first, a wrong one, none."""

    texts: int
    right: int
    wrong: int
    silent: int

    def __str__(self) -> str:
        return (
            f"{self.right} of {self.texts} right first ({self.right / self.texts:.0%}), {self.wrong} wrong, "
            f"{self.silent} silent"
        )


def threads(half: Literal["made_from", "held_out"]) -> dict[Path, list[str]]:
    """The texts from public threads of one half, with the rules that are right as their first hint."""
    table = parse_toml(THREADS.read_text(encoding="utf-8"))[half]
    assert isinstance(table, dict)
    return {LOGS / "threads" / f"{name}.log": list(rules) for name, rules in table.items()}


def first_hint(log: Path) -> str | None:
    """The rule of a log's first hint."""
    with log.open("rb") as stream:
        hints = diagnose(stream).hints
    return hints[0].rule.identifier if hints else None


def rates(half: Literal["made_from", "held_out"]) -> Rates:
    """What `explain` makes of one half."""
    texts = threads(half)
    found = {log: first_hint(log) for log in texts}
    right = sum(hint in rules or (hint is None and not rules) for log, rules in texts.items() for hint in [found[log]])
    silent = sum(found[log] is None and bool(rules) for log, rules in texts.items())
    return Rates(len(texts), right, len(texts) - right - silent, silent)
