"""A quantization's document for a reader: on a terminal, and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envguard.models.text.candidates import candidate_lines, candidate_tables
from envguard.models.text.times import profile_lines, profile_notes, time_tables
from envguard.models.text.verification import verification_lines

Document = Mapping[str, Any]
Row = Sequence[str]

# An output that never gets above this on the inputs tried, as a confidence on made-up pictures, has no direction.
LEAST_PEAK = 1e-4
NOTHING, SAME, BUSY = "–", "same", "busy"

WIDTH = 80
TIMES = ("latency", "two_threads", "load")
LEAST_NAME = 12
MODEL_HEADS = ("model", "kB", "int8", "1 thread", "2 threads", "load", "cosine", "SNR")
OUTPUT_HEADS = ("output", "cosine", "SNR", "largest error", "with noise of 1/255 on the input instead: cosine", "SNR")


def as_text(document: Document) -> str:
    """The report for a terminal: models, what MediaPipe says, the verdict last, where the eye is."""
    lines = [_input_line(document), "", *model_lines(document), ""]
    lines += [line for text in candidate_lines(document["models"]) for line in wrapped(text)]
    lines += ["", *verification_lines(document["verify"])]
    lines += [line for text in profile_lines(document) for line in wrapped(text)]
    lines += [f"{each['name']}: {each['text']}" for each in _notes(document)]
    lines += ["", *verdict_lines(document)]
    return "\n".join(lines)


def model_lines(document: Document) -> list[str]:
    """A row for each model of what was measured, and what the figures are."""
    rows = [MODEL_HEADS, *map(_model_row, document["models"])]
    return [*_aligned(rows), *wrapped(_legend(document))]


def as_markdown(document: Document) -> str:
    """The same report as Markdown, with all that was measured and the environments that it was made in."""
    environments = [
        f"- `{each['name']}` edition {each['edition']}, Python {each['python']}, lock `{each['lock'][:16]}`, "
        f"proved {each['proof']['date']} by `{each['proof']['check']}`"
        for each in document["environments"]
    ]
    parts = [
        f"# {document['task']}: {document['verdict']}",
        *verdict_lines(document),
        "## Models",
        _table([MODEL_HEADS, *map(_model_row, document["models"])]),
        _legend(document),
        *(f"`{each['name']}`: {each['text']}" for each in _notes(document)),
        *_section("Recipes that were tried", _candidates(document)),
        *_section(
            "Outputs", [_table([OUTPUT_HEADS, *(row for model in document["models"] for row in _output_rows(model))])]
        ),
        "## MediaPipe",
        *verification_lines(document["verify"]),
        *_section("Time", [*profile_lines(document), *map(_table, time_tables(document)), *profile_notes(document)]),
        "## Environments",
        "\n".join(environments),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _candidates(document: Document) -> list[str]:
    tables = candidate_tables(document["models"])
    shown = [part for name, rows in tables.items() for part in (f"`{name}`:", _table(rows))]
    return (
        [f"An error of 1 is what noise of one grey level on the inputs makes. {_cpu(document)}", *shown]
        if shown
        else []
    )


def _cpu(document: Document) -> str:
    """What the times and the last bits of the bytes depend on."""
    cpu = document.get("cpu") or {}
    return f"On {cpu['name']} ({cpu['architecture']}; {', '.join(cpu['vectors'])})." if cpu else ""


def _section(title: str, parts: Sequence[str]) -> list[str]:
    """The parts under their title; nothing where there are none."""
    found = [part for part in parts if part]
    return [f"## {title}", *found] if found else []


def _input_line(document: Document) -> str:
    source = document["input"]
    return f"{Path(source['path']).name}: {source['bytes']:,} bytes, sha256 {source['sha256'][:16]}…"


def _model_row(model: Document) -> Row:
    heard = [output for output in model["outputs"] if output["peak"] >= LEAST_PEAK]
    noises = [output["snr_db"] for output in heard if output["snr_db"] is not None]
    return (
        model["name"],
        f"{model['bytes_in'] / 1000:,.0f}",
        f"{model['bytes_out'] / 1000:,.0f}",
        *(_ratio(model.get(key)) for key in TIMES),
        f"{min(output['cosine'] for output in heard):.4f}" if heard else NOTHING,
        f"{min(noises):.0f} dB" if noises else NOTHING,
    )


def _ratio(measured: Document | None) -> str:
    """Time to the original's, or that no difference could be told, or nothing at all."""
    if not measured:
        return NOTHING
    if measured.get("too_busy"):
        return BUSY
    return f"{measured['ratio']:.2f}" if measured["differs"] else SAME


def _output_rows(model: Document) -> list[Row]:
    return [
        (
            f"{model['name']}: {output['name']}",
            f"{output['cosine']:.5f}",
            _decibels(output["snr_db"]),
            f"{output['max_abs_error']:.4g} of {output['peak']:.4g}",
            f"{output['noise_cosine']:.5f}",
            _decibels(output["noise_snr_db"]),
        )
        for output in model["outputs"]
    ]


def _decibels(value: float | None) -> str:
    return "no error" if value is None else f"{value:.1f} dB"


def _legend(document: Document) -> str:
    """What the table's figures are, and which inputs they are from."""
    tried: dict[str, list[str]] = {}
    for model in document["models"]:
        if model.get("inputs"):
            tried.setdefault(f"{model['inputs_tried']} {model['inputs']}", []).append(model["name"])
    inputs = [f"{kind} inputs" + (f" ({', '.join(names)})" if len(tried) > 1 else "") for kind, names in tried.items()]
    text = f"Times are ratios to the original's, {SAME!r} where the noise is larger than the difference."
    timed = [model.get(key) for model in document["models"] for key in TIMES]
    if any(each and each.get("too_busy") for each in timed):
        text += f" {BUSY!r}: other jobs took the processor nine times of ten; run again when it rests."
    if inputs:
        text += f" Least cosine and SNR of any output on {', '.join(inputs)}."
    return text


def wrapped(text: str) -> list[str]:
    """The text in lines that fit a terminal."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


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


def verdict_lines(document: Document) -> list[str]:
    """The output, or that there is none and why."""
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
    """The rows within a terminal's width, the first column to the left and cut where it must be, the rest right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    widths[0] = min(widths[0], max(LEAST_NAME, WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)))
    lines = []
    for first, *others in rows:
        cells = [_cut(first, widths[0]).ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return lines


def _cut(text: str, width: int) -> str:
    """The text, or its start and end: names of models differ there."""
    keep = width - 1
    return text if len(text) <= width else f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


def _table(rows: Sequence[Row]) -> str:
    heads, *rest = rows
    marked = [heads, tuple("---" for _ in heads), *rest]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in marked) if rest else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
