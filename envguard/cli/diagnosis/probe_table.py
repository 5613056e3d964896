"""The tables of `envguard probe`: the Pythons that can be used, and those that cannot, with the reason."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from envguard.host.interpreters import BrokenInterpreter, HostFacts, Interpreter
from envguard.host.printable import one_line

# As wide as the longest reason, where no terminal says how wide it is: a line that is searched must not be broken.
WIDTH_OF_A_FILE = 400

# Below this many columns, paths are broken too, or nothing is left for the reasons.
NARROW = 90


def show(facts: HostFacts, *, preferred: str) -> None:
    """Print the tables; `preferred` is the minor to install where none can be used."""
    console = Console(highlight=False, force_terminal=False if os.environ.get("NO_COLOR") else None)
    if not sys.stdout.isatty():  # which FORCE_COLOR does not change
        console.width = WIDTH_OF_A_FILE
    usable = [_cells(row) for row in facts.usable]
    rest = [_cells(row) for row in facts.interpreters if not row.usable] + [_cells(row) for row in facts.broken]
    for rows, title in ((usable, "Can be used"), (rest, "Cannot be used, because")):
        if not rows:
            continue
        table = Table("Python", "Machine", "Found in", box=None, pad_edge=False)
        table.add_column("Path", no_wrap=console.width >= NARROW, overflow="fold")
        table.add_column(title)
        for row in rows:
            # Text, because square brackets in the name of a file are not markup.
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        console.print(table)
        console.print()
    console.print(_summary(facts, preferred))


def _cells(row: Interpreter | BrokenInterpreter) -> tuple[str, str, str, str, str]:
    python, machine = "-", "-"
    if isinstance(row, Interpreter):
        python = one_line(f"{row.implementation} {row.version_text}")
        machine = one_line(row.architecture) + ("" if row.facts.bits == 64 else f", {row.facts.bits}-bit")
        verdict = " ".join(row.reasons or row.notes) or "yes"
    else:
        verdict = row.reason
    return python, machine, ", ".join(row.found_in), one_line(_with_tilde(row.path)), verdict


def _with_tilde(path: Path) -> str:
    home = Path.home()
    return str(Path("~") / path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _summary(facts: HostFacts, preferred: str) -> str:
    text = f"{len(facts.usable)} of {len(facts.interpreters)} interpreters can be used."
    if not facts.usable:
        text += f" Install one, for example with `uv python install {preferred}`."
    return text
