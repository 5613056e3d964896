"""What setting up found and did: this host, each environment, and the command to type next."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envguard.backends.table import backend_class
from envguard.errors import EnvguardError
from envguard.host.interpreters import HostFacts
from envguard.running.environments.setting_up import SetUp

SCHEMA = 1
WIDTH = 80
HEADS = ("environment", "edition", "Python", "state")

Document = Mapping[str, Any]


def as_document(
    found: Sequence[SetUp], seconds: float, host: HostFacts, project: Path | None, store: Path, command: Sequence[str]
) -> dict[str, Any]:
    """The document that `--json` prints: `changed` is whether anything was built, `next` the command line to type."""
    return {
        "schema": SCHEMA,
        "ready": all(each.prepared for each in found),
        "changed": any(each.prepared and each.prepared.built.fresh for each in found),
        "seconds": round(seconds, 3),
        "project": str(project) if project else None,
        "store": str(store),
        "pythons": {
            "found": len(host.interpreters),
            "usable": len(host.usable),
            "broken": len(host.broken),
        },
        "environments": [_environment(each) for each in found],
        "next": shlex.join(command),
    }


def _environment(each: SetUp) -> dict[str, Any]:
    """A row: what `envguard create --json` says of an environment, or its error."""
    if each.prepared is not None:
        return {"name": each.name, "ready": True, **each.prepared.as_json()}
    assert each.error is not None
    return {"name": each.name, "ready": False, **each.error.as_json()}


def errors_of(found: Sequence[SetUp]) -> list[EnvguardError]:
    """The errors of the environments that are not there."""
    return [each.error for each in found if each.error is not None]


def as_text(document: Document, width: int = WIDTH) -> str:
    """The same document within so many columns, paths and the command apart; the errors are printed as errors are."""
    pythons = document["pythons"]
    broken = f"; {pythons['broken']} more do not start" if pythons["broken"] else ""
    rows = [*map(_row, document["environments"])]
    table = _aligned([HEADS, *rows])
    if max(map(len, table)) > width:
        table = [line for row in rows for line in _stacked(row, width)]
    lines = [
        *_wrapped(f"Pythons: {pythons['usable']} of {pythons['found']} can be used{broken}", width),
        *_wrapped(f"Project: {document['project'] or 'none here; set up is what the built-in tasks need'}", width),
        f"Store:   {document['store']}",
        "",
        *table,
        "",
    ]
    if document["ready"]:
        return "\n".join(
            [*lines, f"Everything is ready after {document['seconds']:.1f} s. Next:", f"  {document['next']}"]
        )
    missing = [each["name"] for each in document["environments"] if not each["ready"]]
    return "\n".join([*lines, *_wrapped(f"Not ready: {', '.join(missing)}.", width)])


def _row(environment: Document) -> tuple[str, ...]:
    if not environment["ready"]:
        return (environment["name"], "-", "-", "not ready, see below")
    state = "built and proved" if environment["built_now"] else f"ready, proved {environment['proof']['date'][:10]}"
    elsewhere = backend_class(environment["backend"]).elsewhere
    where = f" {elsewhere}" if elsewhere else ""
    passed = f", after {len(environment['failed_before'])} that failed" if environment["failed_before"] else ""
    return (environment["name"], environment["edition"], environment["python"], state + where + passed)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _stacked(row: Sequence[str], width: int) -> list[str]:
    """A row below itself, where the window is too narrow for it."""
    name, edition, python, state = row
    return [name, *(f"  {line}" for line in _wrapped(f"{edition} on Python {python}: {state}", width - 2))]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]
