"""A quantization's document for a reader: on a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envguard.report.verification import verification_lines

Document = Mapping[str, Any]
Row = Sequence[str]

# An output that never gets above this on the inputs tried, as a confidence on made-up pictures, has no direction.
LEAST_PEAK = 1e-4

MODEL_HEADS = ("model", "bytes", "int8", "share", "time to original's", "least cosine")


def as_text(document: Document) -> str:
    """The report for a terminal: models, what MediaPipe says, the verdict last, where the eye is."""
    lines = [_input_line(document), "", *_aligned([MODEL_HEADS, *map(_model_row, document["models"])]), ""]
    lines += verification_lines(document["verify"])
    lines += [f"{each['name']}: {each['text']}" for each in _notes(document)]
    lines += ["", *_verdict_lines(document)]
    return "\n".join(lines)


def as_markdown(document: Document) -> str:
    """The same report as Markdown, with the environments that it was made in."""
    rows = [MODEL_HEADS, tuple("---" for _ in MODEL_HEADS), *map(_model_row, document["models"])]
    environments = [
        f"- `{each['name']}` edition {each['edition']}, Python {each['python']}, lock `{each['lock'][:16]}`, "
        f"proved {each['proof']['date']} by `{each['proof']['check']}`"
        for each in document["environments"]
    ]
    parts = [
        f"# {document['task']}: {document['verdict']}",
        *_verdict_lines(document),
        "## Models",
        "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows),
        *(f"`{each['name']}`: {each['text']}" for each in _notes(document)),
        "## MediaPipe",
        *verification_lines(document["verify"]),
        "## Environments",
        "\n".join(environments),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _input_line(document: Document) -> str:
    source = document["input"]
    return f"{Path(source['path']).name}: {source['bytes']:,} bytes, sha256 {source['sha256'][:16]}…"


def _model_row(model: Document) -> Row:
    latency = model["latency"]
    cosines = [output["cosine"] for output in model["outputs"] if output["peak"] >= LEAST_PEAK]
    return (
        model["name"],
        f"{model['bytes_in']:,}",
        f"{model['bytes_out']:,}",
        f"{model['bytes_out'] / model['bytes_in']:.2f}",
        f"{latency['ratio']:.2f}" if latency else "–",
        f"{min(cosines):.4f}" if cosines else "–",
    )


def _notes(document: Document) -> list[dict[str, str]]:
    """What the table has no column for: why a model was left alone or not run."""
    notes = []
    for model in document["models"]:
        if not model["quantized"]:
            why = model["recipe"].get("why", "no reason given")
            notes.append({"name": model["name"], "text": f"weights left as they are: {why}"})
        notes += [
            {"name": model["name"], "text": each["what"]}
            for each in model.get("passes", ())
            if each["pass"] == "low_rank" and each["changed"]
        ]
        if not model["ran"]:
            notes.append({"name": model["name"], "text": model["reason"]})
    if document["dropped"]:
        notes.append({"name": "dropped", "text": ", ".join(document["dropped"])})
    return notes


def _verdict_lines(document: Document) -> list[str]:
    output = document["output"]
    if output is not None:
        return [f"verdict: yes. {output['path']}: {output['bytes']:,} bytes, {document['ratio']:.2f} of the original"]
    lines = ["verdict: no. Nothing was written."]
    for failure in document["failures"]:
        lines.append(f"  {failure['name']} ({failure['step']}): {failure['message']}")
        if failure["next"]:
            lines.append(f"    next: {failure['next']}")
    return lines


def _aligned(rows: Sequence[Row]) -> list[str]:
    """The rows with the first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells))
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
