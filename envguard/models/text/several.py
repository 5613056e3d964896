"""What quantizing several models came to: a table that fits a terminal, and Markdown for all."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from envguard.models.text import quantization
from envguard.models.text.tables import LEAST_NAME, NOTHING, WIDTH, Row, cut, markdown_table, on_one_line
from envguard.payload.contract import NO, UNVERIFIED, YES, FailedRun, QuantizeDocument, SeveralDocument

HEADS = ("model", "bytes", "int8", "share", "time", "verdict")
FAILED = "failed"

AnyRun = FailedRun | QuantizeDocument


def as_text(document: SeveralDocument) -> str:
    """The table, with a line or more under each model that says why its verdict is not yes; 80 columns at most."""
    rows = [_row(run) for run in document.runs]
    widths = [max(len(row[column]) for row in (HEADS, *rows)) for column in range(len(HEADS))]
    widths[0] = max(LEAST_NAME, min(widths[0], WIDTH - sum(widths[1:]) - 2 * (len(HEADS) - 1)))
    lines = [_line(HEADS, widths)]
    for run, row in zip(document.runs, rows, strict=True):
        lines.append(_line(row, widths))
        lines += textwrap.wrap(_why(run), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join([*lines, "", _sum(document)])


def as_markdown(document: SeveralDocument) -> str:
    """The same table, and below it the whole report of each model."""
    rows: list[Row] = [HEADS]
    for run in document.runs:
        *cells, verdict = _row(run)
        why = _why(run)
        rows.append((*cells, f"{verdict}: {why}" if why else verdict))
    parts = [f"# {document.task}: {document.verdict}", _sum(document), markdown_table(rows)]
    for run in document.runs:
        parts.append(f"## {_name(run)}: {run.verdict}")
        parts.append(_failed_part(run) if isinstance(run, FailedRun) else _run_part(run))
    return "\n\n".join(parts) + "\n"


def _row(run: AnyRun) -> Row:
    if isinstance(run, FailedRun):
        return (_name(run), *[NOTHING] * 4, run.verdict)
    before, time = run.input.bytes, _time_ratio(run)
    after = run.output.bytes if run.output else None
    return (
        _name(run),
        f"{before:,}",
        NOTHING if after is None else f"{after:,}",
        NOTHING if after is None else f"{after / before:.2f}",
        NOTHING if time is None else f"{time:.2f}",
        run.verdict,
    )


def _time_ratio(run: QuantizeDocument) -> float | None:
    """The quantized file's time to the original's: of a whole call in MediaPipe, else of all its models once each."""
    if run.verify and run.verify.latency:
        return run.verify.latency.ratio
    measured = [model.latency for model in run.models if model.latency]
    if not measured:
        return None
    return sum(each.quantized_ms for each in measured) / sum(each.original_ms for each in measured)


def _why(run: AnyRun) -> str:
    """The gates that were not passed, or in one sentence what went wrong; nothing for a yes."""
    if isinstance(run, FailedRun):
        return on_one_line(run.error)
    return ", ".join(dict.fromkeys(failure.name for failure in run.failures))


def _sum(document: SeveralDocument) -> str:
    runs = document.runs
    counts = Counter(run.verdict for run in runs)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in (YES, NO, UNVERIFIED, FAILED) if counts[verdict])
    outputs = [run.output for run in runs if isinstance(run, QuantizeDocument) and run.output]
    folders = {str(Path(output.path).parent) for output in outputs}
    return f"{len(runs)} models: {told}." + (f" Written to {on_one_line(folders.pop())}" if len(folders) == 1 else "")


def _run_part(run: QuantizeDocument) -> str:
    """A model's own report without its title, every heading one level down."""
    _, *lines = quantization.as_markdown(run).strip().split("\n")
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in lines).strip()


def _failed_part(run: FailedRun) -> str:
    return "\n\n".join(on_one_line(text) for text in (run.error, run.why, run.next) if text)


def _name(run: AnyRun) -> str:
    path = run.input["path"] if isinstance(run, FailedRun) else run.input.path
    return on_one_line(Path(path).name)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, verdict = row
    cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
    return "  ".join([cut(name, widths[0]).ljust(widths[0]), *cells, verdict])
