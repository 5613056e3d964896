"""What runtime options are worth, as one document, as text and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envguard.models.text.tuning_code import code

if TYPE_CHECKING:
    from envguard.running.pipeline import TaskResult

Document = Mapping[str, Any]
Row = Sequence[str]

SCHEMA = 1
WIDTH = 80
STEP, FILES, MODE = "tune", "files", "running_mode"
HEADS = ("setting", "time", "95 %", "verdict", "found", "lost", "new")


def as_document(result: TaskResult) -> dict[str, Any]:
    """The document that `--json` prints."""
    values = {name: value for name, value in result.steps[STEP].values.items() if name != FILES}
    return {
        "schema": SCHEMA,
        "task": result.task,
        "input": result.input.as_json(),
        "output": None if result.output is None else result.output.as_json(),
        **values,
        "code": code(values["kind"], values["advice"]) if values["advice"] else {},
        "environments": [prepared.as_json() for prepared in result.environments],
    }


def as_text(document: Document) -> str:
    """What was measured, what is worth setting, and the lines to paste last, where the eye is."""
    lines = [*_wrapped(_head(document)), ""]
    for title, rows in _tables(document):
        lines += [*_wrapped(title), *_aligned([HEADS, *rows]), ""]
    lines += [line for text in _legend(document) for line in _wrapped(text)]
    lines += ["", *_wrapped(_advice(document))]
    for language, pasted in document["code"].items():
        lines += ["", f"{language}:", *(f"  {line}" for line in pasted)]
    if document["output"] is not None:
        lines += ["", f"Every round: {document['output']['path']}"]
    return "\n".join(lines)


def as_markdown(document: Document) -> str:
    """The same as Markdown."""
    parts = [f"# {Path(document['input']['path']).name}: runtime options", _head(document), _advice(document)]
    for title, rows in _tables(document):
        parts += [title, _table([HEADS, *rows])]
    parts += _legend(document)
    for language, pasted in document["code"].items():
        parts.append("\n".join([f"## {language}", "", f"```{language.lower()}", *pasted, "```"]))
    return "\n\n".join(parts) + "\n"


def _head(document: Document) -> str:
    size, control, cpu = document["sample_size"], document["control"], document["cpu"]
    processors = "1 processor" if document["processors"] == 1 else f"{document['processors']} processors"
    return (
        f"{Path(document['input']['path']).name} in MediaPipe {document['mediapipe']}, {processors}"
        f" ({cpu['name'] or cpu['architecture']}): with the default options {control['before_ms']:.1f} ms per frame"
        f" (IQR {control['before_iqr_ms']:.1f}), on {size['timed']} of {size['views']} views of"
        f" {size['pictures']} pictures."
    )


def _tables(document: Document) -> list[tuple[str, list[Row]]]:
    """Trials under the same other settings together, with what those are."""
    groups: dict[str, list[Row]] = {}
    for trial in document["trials"]:
        others = _named(trial["others"])
        title = f"With {others}, against the other defaults:" if others else "Each setting against the defaults:"
        groups.setdefault(title, []).append(_row(f"{trial['option']} {_value(trial['value'])}", trial))
    if document["together"]:
        groups["All that is worth setting, against the defaults:"] = [_row("together", document["together"])]
    return list(groups.items())


def _row(name: str, trial: Document) -> Row:
    time, found = trial["time"], trial["found"]
    return (
        name,
        f"{time['ratio']:.2f}",
        f"{time['low']:.2f}–{time['high']:.2f}",
        trial["verdict"],
        f"{found['after']}",
        f"{found['lost']}",
        f"{found['extra']}",
    )


def _legend(document: Document) -> list[str]:
    control, kind = document["control"], document["kind"]
    found = document["trials"][0]["found"]
    texts = [
        "time: ratio of medians, of one frame, measured in turns; 95 %: where it lies. The defaults against themselves"
        f" came to {control['low']:.2f}–{control['high']:.2f}: a difference within that, or below 2 %, is called"
        " 'same', and 'unclear' is what no difference was found in, but one might hide: a longer --seconds may tell.",
        f"found: {kind}s in {found['frames']} frames, {found['before']} of them with the defaults; lost: where only the"
        f" default finds one, new: where only the setting does. Where there are more {kind}s in a picture than are"
        " looked for, lost and new together may be another one of them.",
    ]
    texts.append(
        "frames: each picture is shown in several frames that move a little from one to the next. VIDEO and LIVE_STREAM"
        " follow what they found and smooth where it is; pictures that do not follow each other need IMAGE."
    )
    threads = document["thread_options"]
    texts.append(
        f"threads: not measured. MediaPipe's Python API has {', '.join(threads)} for them."
        if threads
        else "threads: not measured. MediaPipe's Python API has no option that sets them."
    )
    return texts


def _advice(document: Document) -> str:
    advice, known = document["advice"], document["defaults"]
    if not advice:
        return "No setting gains time that this measurement can tell, and none costs any: keep the defaults."
    changed = {name: value for name, value in advice.items() if value != known[name]}
    kept = {name: value for name, value in advice.items() if value == known[name]}
    parts = [f"Worth setting: {_named(changed)}." if changed else "Nothing gains over the defaults."]
    if kept:
        parts.append(f"Worth keeping at the default, as others are slower: {_named(kept)}.")
    losing = [
        f"{each['option']} {_value(each['value'])} ({each['found']['fewer']} of {each['found']['before']} fewer)"
        for each in document["trials"]
        if each["verdict"] == "faster" and advice.get(each["option"]) != each["value"] and each["found"]["fewer"]
    ]
    if losing:
        parts.append(f"Faster because less is found: {', '.join(losing)}.")
    return " ".join(parts)


def _named(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in settings.items())


def _value(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _aligned(rows: Sequence[Row]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return lines


def _table(rows: Sequence[Row]) -> str:
    heads, *rest = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rest))
