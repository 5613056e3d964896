"""What setting up found and did: this host, each environment, and the command to type next."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.table import backend_class
from envguard.errors import EnvguardError
from envguard.host.interpreters import HostFacts
from envguard.running.environments.setting_up import SetUp

SCHEMA = 1
WIDTH = 80
APT = "apt-get install --no-install-recommends"
HEADS = ("environment", "edition", "Python", "state")


@dataclass(frozen=True, slots=True)
class SetupReport:
    """What was set up in how many seconds, on which host, and the command line to type next."""

    environments: tuple[SetUp, ...]
    seconds: float
    host: HostFacts
    project: Path | None
    store: Path
    next: tuple[str, ...]

    @property
    def errors(self) -> list[EnvguardError]:
        """Why environments are not ready."""
        return [each.error for each in self.environments if each.error is not None]

    def as_json(self) -> dict[str, object]:
        """The document for `--json`; `changed` says whether anything was built."""
        return {
            "schema": SCHEMA,
            "ready": not self.errors,
            "changed": any(each.prepared and each.prepared.built.fresh for each in self.environments),
            "seconds": round(self.seconds, 3),
            "project": str(self.project) if self.project else None,
            "store": str(self.store),
            "pythons": {
                "found": len(self.host.interpreters),
                "usable": len(self.host.usable),
                "broken": len(self.host.broken),
            },
            "environments": [_as_json(each) for each in self.environments],
            "next": shlex.join(self.next),
        }


def setup_text(report: SetupReport, width: int = WIDTH) -> str:
    """The report in at most `width` columns, except for paths and the command; errors are printed separately."""
    host = report.host
    broken = f"; {len(host.broken)} more do not start" if host.broken else ""
    rows = [*map(_row, report.environments)]
    table = _aligned([HEADS, *rows])
    if max(map(len, table)) > width:
        table = [line for row in rows for line in _stacked(row, width)]
    project = report.project or "none here, so what the built-in tasks need was set up"
    lines = [
        *_wrapped(f"Pythons: {len(host.usable)} of {len(host.interpreters)} can be used{broken}", width),
        *_wrapped(f"Project: {project}", width),
        f"Store:   {report.store}",
        "",
        *table,
        "",
    ]
    for each in report.environments:
        if each.lacking:
            lines += [*_wrapped(_lacking(each), width), f"  {APT} {' '.join(each.lacking)}", ""]
    missing = [each.name for each in report.environments if each.error is not None]
    if missing:
        return "\n".join([*lines, *_wrapped(f"Not ready: {', '.join(missing)}.", width)])
    done = f"Everything is ready after {report.seconds:.1f} s. Next:"
    return "\n".join([*lines, done, f"  {shlex.join(report.next)}"])


def _lacking(each: SetUp) -> str:
    """What this system could have for a part of what the environment does."""
    return f"{each.name} lacks nothing but what is only needed {each.purpose}. On Debian or Ubuntu:"


def _as_json(each: SetUp) -> dict[str, object]:
    """What `envguard create --json` says of an environment and what is `lacking`, or its error."""
    if each.prepared is not None:
        lacking = {"packages": list(each.lacking), "purpose": each.purpose} if each.lacking else None
        return {"name": each.name, "ready": True, **each.prepared.as_json(), "lacking": lacking}
    assert each.error is not None
    return {"name": each.name, "ready": False, **each.error.as_json()}


def _row(each: SetUp) -> tuple[str, ...]:
    if each.prepared is None:
        return (each.name, "-", "-", "not ready, see below")
    chosen, built, failed = each.prepared.candidate, each.prepared.built, each.prepared.failed
    state = "built and proved" if built.fresh else f"ready, proved {built.proof.date[:10]}"
    elsewhere = backend_class(chosen.backend).elsewhere
    where = f" {elsewhere}" if elsewhere else ""
    passed = f", after {len(failed)} that failed" if failed else ""
    return (each.name, chosen.edition.name, chosen.interpreter.version_text, state + where + passed)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _stacked(row: Sequence[str], width: int) -> list[str]:
    """A row in several lines, for a window that is too narrow for the table."""
    name, edition, python, state = row
    return [name, *(f"  {line}" for line in _wrapped(f"{edition} on Python {python}: {state}", width - 2))]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]
