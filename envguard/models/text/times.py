"""Where the time goes: of each model by kind of operator, and of a whole call in MediaPipe outside the models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envguard.models.text.tables import NOTHING, Row
from envguard.payload.contract import ModelReport, OperatorTimes, Profile, QuantizeDocument, Timing

KINDS_SHOWN = 5
BETWEEN = "between operators"
TIME_HEADS = ("model", "what", "original, ms", "quantized, ms", "in words")
KIND_HEADS = ("model", "kind of operator", "original, ms", "quantized, ms", "share of the quantized")
SLOWEST_HEADS = ("model", "operator, in the order of running", "quantized, ms", "share")


def profile_lines(document: QuantizeDocument) -> list[str]:
    """What the quantized models' time is spent on, and what the rest of a call is, in a sentence each."""
    lines = []
    profiles = [model.profile.quantized for model in document.models if model.profile]
    whole = sum(profile.ms for profile in profiles)
    if whole > 0:
        shares = [f"{kind} {part / whole:.0%}" for kind, part in _by_kind(profiles)[:KINDS_SHOWN]]
        lines.append(f"Of the quantized models' {whole:.1f} ms: {', '.join(shares)}.")
    if document.outside_models:
        after = document.outside_models.quantized
        lines.append(
            f"Of a call's {after.call_ms:.1f} ms in MediaPipe, the models alone take {after.models_ms:.1f};"
            f" the other {after.rest_ms / after.call_ms:.0%} is MediaPipe's own."
        )
    return lines


def time_tables(models: Sequence[ModelReport]) -> list[list[Row]]:
    """For Markdown: every time that was measured, then what it is spent on by kind, then the slowest operators."""
    times = [row for model in models for row in _time_rows(model)]
    profiled = [(model.name, model.profile) for model in models if model.profile]
    kinds = [row for name, profile in profiled for row in _kind_rows(name, profile)]
    slowest = [row for name, profile in profiled for row in _slowest_rows(name, profile)]
    tables = ((TIME_HEADS, times), (KIND_HEADS, kinds), (SLOWEST_HEADS, slowest))
    return [[heads, *rows] for heads, rows in tables if rows]


def profile_notes(models: Sequence[ModelReport]) -> list[str]:
    """How the profile was made, or why there is none."""
    made = dict.fromkeys(model.profile.measured_by for model in models if model.profile)
    missing = {model.name: model.profile_reason for model in models if model.profile_reason}
    return [
        *(f"By kind: {each}. XNNPACK runs 1×1 convolutions as matrix products." for each in made),
        *(f"{name}: no profile, {reason}" for name, reason in missing.items()),
    ]


def _time_rows(model: ModelReport) -> list[Row]:
    measured = (
        ("warm, 1 thread", model.latency, ""),
        ("warm, 2 threads", model.two_threads, model.two_threads_reason),
        ("loading", model.load, ""),
        ("first inference", model.first, ""),
    )
    rows: list[Row] = []
    for what, time, reason in measured:
        if time:
            rows.append((model.name, what, *_with_spreads(time), time.verdict))
        elif reason:
            rows.append((model.name, what, NOTHING, NOTHING, reason))
    return rows


def _with_spreads(time: Timing) -> tuple[str, str]:
    return (
        f"{time.original_ms:.2f} (IQR {time.original_iqr_ms:.2f})",
        f"{time.quantized_ms:.2f} (IQR {time.quantized_iqr_ms:.2f})",
    )


def _kind_rows(name: str, profile: Profile) -> list[Row]:
    before, after = profile.original, profile.quantized
    earlier = {each.kind: each.ms for each in before.kinds}
    rows: list[Row] = [
        (name, each.kind, _milliseconds(earlier.get(each.kind)), _milliseconds(each.ms), f"{each.share:.0%}")
        for each in after.kinds
    ]
    gone = earlier.keys() - {each.kind for each in after.kinds}
    rows += [(name, kind, _milliseconds(earlier[kind]), NOTHING, NOTHING) for kind in sorted(gone)]
    rows = [row for row in rows if {row[2], row[3]} - {"0.00", NOTHING}]
    times = (_milliseconds(before.between.ms), _milliseconds(after.between.ms))
    return [*rows, (name, BETWEEN, *times, f"{after.between.share:.0%}")]


def _slowest_rows(name: str, profile: Profile) -> list[Row]:
    return [
        (name, f"{each.place + 1}: {each.operator}", _milliseconds(each.ms), f"{each.share:.0%}")
        for each in profile.quantized.slowest
    ]


def _by_kind(profiles: Iterable[OperatorTimes]) -> list[tuple[str, float]]:
    """Milliseconds by kind over several models, the most first."""
    sums: dict[str, float] = {}
    for profile in profiles:
        sums[BETWEEN] = sums.get(BETWEEN, 0.0) + profile.between.ms
        for each in profile.kinds:
            sums[each.kind] = sums.get(each.kind, 0.0) + each.ms
    return sorted(sums.items(), key=lambda entry: -entry[1])


def _milliseconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"
