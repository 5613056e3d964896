"""What quantizing several models came to: one document, a table that fits a terminal, and Markdown for all."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envguard.models.text.run import as_markdown as run_as_markdown

SCHEMA = 1
WIDTH = 80
LEAST_NAME = 12
HEADS = ("model", "bytes", "int8", "share", "time", "verdict")
FAILED = "failed"

Document = Mapping[str, Any]


def as_document(task: str, runs: Sequence[Document]) -> dict[str, Any]:
    """The document that `--json` prints: each model's own, or `failed_run` of one that has none."""
    passed = all(run["verdict"] == "yes" for run in runs)
    return {"schema": SCHEMA, "task": task, "verdict": "yes" if passed else "no", "runs": list(runs)}


def failed_run(task: str, source: Path, error: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a model that could not be run to a verdict, with the error's own keys."""
    return {"schema": SCHEMA, "task": task, "verdict": FAILED, "input": {"path": str(source)}, **error}


def exit_code(document: Document) -> int:
    """0 where every verdict is yes; else the highest of 1 (a verdict is no) and the codes of those that failed."""
    return max(int(run.get("exit_code", run["verdict"] != "yes")) for run in document["runs"])


def as_text(document: Document) -> str:
    """The table, with a line or more under each model that says why its verdict is not yes; 80 columns at most."""
    rows = [_row(run) for run in document["runs"]]
    widths = [max(len(row[column]) for row in (HEADS, *rows)) for column in range(len(HEADS))]
    widths[0] = max(LEAST_NAME, min(widths[0], WIDTH - sum(widths[1:]) - 2 * (len(HEADS) - 1)))
    lines = [_line(HEADS, widths)]
    for run, row in zip(document["runs"], rows, strict=True):
        lines.append(_line(row, widths))
        lines += textwrap.wrap(_why(run), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join([*lines, "", _sum(document)])


def as_markdown(document: Document) -> str:
    """The same table, and below it the whole report of each model."""
    rows = [HEADS, tuple("---" for _ in HEADS)]
    for run in document["runs"]:
        *cells, verdict = _row(run)
        why = _why(run)
        rows.append((*cells, f"{verdict}: {why}" if why else verdict))
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    parts = [f"# {document['task']}: {document['verdict']}", _sum(document), table]
    for run in document["runs"]:
        parts.append(f"## {_name(run)}: {run['verdict']}")
        parts.append(_failed_part(run) if run["verdict"] == FAILED else _run_part(run))
    return "\n\n".join(parts) + "\n"


def _row(run: Document) -> tuple[str, ...]:
    nothing = "–"
    before, after = run["input"].get("bytes"), (run.get("output") or {}).get("bytes")
    time = _time_ratio(run)
    return (
        _name(run),
        nothing if before is None else f"{before:,}",
        nothing if after is None else f"{after:,}",
        nothing if after is None else f"{after / before:.2f}",
        nothing if time is None else f"{time:.2f}",
        run["verdict"],
    )


def _time_ratio(run: Document) -> float | None:
    """The quantized file's time to the original's: of a whole call in MediaPipe, else of all its models once each."""
    verify = run.get("verify")
    if verify and verify.get("latency"):
        return float(verify["latency"]["ratio"])
    measured = [model["latency"] for model in run.get("models", ()) if model["latency"]]
    if not measured:
        return None
    return float(sum(each["quantized_ms"] for each in measured) / sum(each["original_ms"] for each in measured))


def _why(run: Document) -> str:
    """The gates that were not passed, or in one sentence what went wrong; nothing for a yes."""
    if run["verdict"] == FAILED:
        return _shown(run["error"])
    return ", ".join(dict.fromkeys(failure["name"] for failure in run["failures"]))


def _sum(document: Document) -> str:
    runs = document["runs"]
    counts = Counter(run["verdict"] for run in runs)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("yes", "no", FAILED) if counts[verdict])
    folders = {str(Path(run["output"]["path"]).parent) for run in runs if run.get("output")}
    return f"{len(runs)} models: {told}." + (f" Written to {_shown(folders.pop())}" if len(folders) == 1 else "")


def _run_part(run: Document) -> str:
    """A model's own report without its title, every heading one level down."""
    _, *lines = run_as_markdown(run).strip().split("\n")
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in lines).strip()


def _failed_part(run: Document) -> str:
    told = (run["error"], run["why"], run["next"])
    return "\n\n".join(_shown(text) for text in told if text)


def _name(run: Document) -> str:
    return _shown(Path(run["input"]["path"]).name)


def _shown(text: str) -> str:
    """The text on one line, without characters that a terminal would act on."""
    return "".join(char if char.isprintable() else " " if char == "\n" else repr(char)[1:-1] for char in text)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, verdict = row
    if len(name) > widths[0]:  # the end tells models apart as often as the start does
        keep = widths[0] - 1
        name = f"{name[: keep - keep // 2]}…{name[len(name) - keep // 2 :]}"
    cells = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))]
    return "  ".join([*cells, verdict])
