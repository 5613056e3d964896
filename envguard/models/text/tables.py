"""Rows for a terminal of 80 columns and for Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

Row = Sequence[str]

WIDTH = 80
LEAST_NAME = 12
NOTHING = "–"


def aligned(rows: Sequence[Row]) -> list[str]:
    """The rows within a terminal's width: names to the left and cut if they must be, the rest to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    widths[0] = min(widths[0], max(LEAST_NAME, WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)))
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([cut(first, widths[0]).ljust(widths[0]), *cells]))
    return lines


def cut(text: str, width: int) -> str:
    """The text, or its start and end: names of models differ there."""
    keep = width - 1
    return text if len(text) <= width else f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


def markdown_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, the first one as its head; empty if there is only the head."""
    head, *rest = rows
    marked = [head, tuple("---" for _ in head), *rest]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in marked) if rest else ""


def wrapped(text: str) -> list[str]:
    """The text in lines that fit a terminal."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def on_one_line(text: str) -> str:
    """The text on one line, without characters that a terminal would act on."""
    return "".join(char if char.isprintable() else " " if char == "\n" else repr(char)[1:-1] for char in text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
