"""What runtime options are worth, as text and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envguard.models.text.tables import Row, aligned, markdown_table, wrapped
from envguard.payload.contract import OptionTrial, Setting, TuneDocument

HEADS = ("setting", "time", "95 %", "verdict", "found", "lost", "new")
SINGLE = "Each setting against the defaults:"
TOGETHER = "All that is worth setting, against the defaults:"


def as_text(document: TuneDocument) -> str:
    """What was measured, what is worth setting, and the lines to paste last, where the eye is."""
    lines = [*wrapped(_head(document)), ""]
    for title, rows in _tables(document):
        lines += [*wrapped(title), *aligned([HEADS, *rows]), ""]
    lines += [line for text in _legend(document) for line in wrapped(text)]
    lines += ["", *wrapped(_advice(document))]
    for language, pasted in document.code.items():
        lines += ["", f"{language}:", *(f"  {line}" for line in pasted)]
    if document.output is not None:
        lines += ["", f"Every round: {document.output.path}"]
    return "\n".join(lines)


def as_markdown(document: TuneDocument) -> str:
    """The same as Markdown."""
    parts = [f"# {Path(document.input.path).name}: runtime options", _head(document), _advice(document)]
    for title, rows in _tables(document):
        parts += [title, markdown_table([HEADS, *rows])]
    parts += _legend(document)
    for language, pasted in document.code.items():
        parts.append("\n".join([f"## {language}", "", f"```{language.lower()}", *pasted, "```"]))
    return "\n\n".join(parts) + "\n"


def _head(document: TuneDocument) -> str:
    size, control, cpu = document.sample_size, document.control, document.cpu
    processors = "1 processor" if document.processors == 1 else f"{document.processors} processors"
    return (
        f"{Path(document.input.path).name} in MediaPipe {document.mediapipe}, {processors}"
        f" ({cpu.name or cpu.architecture}): with the default options {control.before_ms:.1f} ms per frame"
        f" (IQR {control.before_iqr_ms:.1f}), on {size.timed} of {size.views} views of {size.pictures} pictures."
    )


def _tables(document: TuneDocument) -> list[tuple[str, list[Row]]]:
    """Trials under the same other settings together, with what those are."""
    groups: dict[str, list[Row]] = {}
    for trial in document.trials:
        others = _named(trial.others)
        title = f"With {others}, against the other defaults:" if others else SINGLE
        groups.setdefault(title, []).append(_row(f"{trial.option} {_value(trial.value)}", trial))
    if document.together:
        groups[TOGETHER] = [_row("together", document.together)]
    return list(groups.items())


def _row(name: str, trial: OptionTrial) -> Row:
    time, found = trial.time, trial.found
    return (
        name,
        f"{time.ratio:.2f}",
        f"{time.low:.2f}–{time.high:.2f}",
        trial.verdict,
        f"{found.after}",
        f"{found.lost}",
        f"{found.extra}",
    )


def _legend(document: TuneDocument) -> list[str]:
    control, kind, threads = document.control, document.kind, document.thread_options
    found = document.trials[0].found
    return [
        "time: ratio of medians for one frame, measured in turns; 95 %: the interval that it lies in. The defaults"
        f" against themselves came to {control.low:.2f}–{control.high:.2f}: a difference within that, or below 2 %, is"
        " called 'same'. 'unclear' means that no difference was found but one may hide: a longer --seconds may tell.",
        f"found: {kind}s in {found.frames} frames, {found.before} of them with the defaults; lost: where only the"
        f" default finds one, new: where only the setting does. If a picture has more {kind}s than are looked for, lost"
        " and new together may be another one of them.",
        "frames: each picture is shown in several frames that move a little from one to the next. VIDEO and LIVE_STREAM"
        " follow what they found and smooth its position; pictures that do not follow each other need IMAGE.",
        f"threads: not measured. MediaPipe's Python API has {', '.join(threads)} for them."
        if threads
        else "threads: not measured. MediaPipe's Python API has no option that sets them.",
    ]


def _advice(document: TuneDocument) -> str:
    advice, known = document.advice, document.defaults
    if not advice:
        return "No setting gains measurable time, and none costs any: keep the defaults."
    changed = {name: value for name, value in advice.items() if value != known[name]}
    kept = {name: value for name, value in advice.items() if value == known[name]}
    parts = [f"Worth setting: {_named(changed)}." if changed else "Nothing gains over the defaults."]
    if kept:
        parts.append(f"Worth keeping at the default, as others are slower: {_named(kept)}.")
    losing = [
        f"{each.option} {_value(each.value)} ({each.found.fewer} of {each.found.before} fewer)"
        for each in document.trials
        if each.verdict == "faster" and advice.get(each.option) != each.value and each.found.fewer
    ]
    if losing:
        parts.append(f"Faster because less is found: {', '.join(losing)}.")
    return " ".join(parts)


def _named(settings: Mapping[str, Setting]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in settings.items())


def _value(value: Setting) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
