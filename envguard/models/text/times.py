"""Where the time goes: of each model by kind of operator, and of a whole call in MediaPipe outside the models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Row = Sequence[str]

KINDS_SHOWN = 5
MEASURES = {
    "latency": "warm, 1 thread",
    "two_threads": "warm, 2 threads",
    "load": "loading",
    "first": "first inference",
}
TIME_HEADS = ("model", "what", "original, ms", "quantized, ms", "in words")
KIND_HEADS = ("model", "kind of operator", "original, ms", "quantized, ms", "share of the quantized")
SLOWEST_HEADS = ("model", "operator, in the order of running", "quantized, ms", "share")
PROFILED = "original", "quantized"


def outside_models(models: Sequence[Document], verify: Document | None) -> dict[str, dict[str, float]] | None:
    """Milliseconds of a whole call in MediaPipe, of the models run once each, and of the rest; None if not known.

    The models are timed by themselves, on one thread of the runtime that `compare` uses, so the rest is an estimate:
    what MediaPipe does with the picture and between the models, less what its own runtime is faster by. Where that
    comes to nothing, the machine was busier during one measurement than during the other, and nothing is said.
    """
    call = (verify or {}).get("latency") or {}
    latencies = [model.get("latency") for model in models]
    if not latencies or not all(latencies) or not call:
        return None
    found = {}
    for which in PROFILED:
        whole = float(call[f"{which}_ms"])
        inside = float(sum(each[f"{which}_ms"] for each in latencies if each))
        found[which] = {"call_ms": whole, "models_ms": inside, "rest_ms": whole - inside}
    return found if all(each["rest_ms"] > 0 for each in found.values()) else None


def profile_lines(document: Document) -> list[str]:
    """What the quantized models' time is spent on, and what the rest of a call is, in a sentence each."""
    lines = []
    profiles = [model["profile"]["quantized"] for model in document["models"] if model.get("profile")]
    whole = sum(profile["ms"] for profile in profiles)
    if whole > 0:
        shares = [f"{kind} {part / whole:.0%}" for kind, part in _by_kind(profiles)[:KINDS_SHOWN]]
        lines.append(f"Of the quantized models' {whole:.1f} ms: {', '.join(shares)}.")
    outside = document.get("outside_models")
    if outside:
        after = outside["quantized"]
        lines.append(
            f"Of a call's {after['call_ms']:.1f} ms in MediaPipe, the models alone take {after['models_ms']:.1f};"
            f" the other {after['rest_ms'] / after['call_ms']:.0%} is MediaPipe's own."
        )
    return lines


def time_tables(document: Document) -> list[list[Row]]:
    """For Markdown: every time that was measured, then what it is spent on by kind, then the slowest operators."""
    models = document["models"]
    times = [row for model in models for row in _time_rows(model)]
    kinds = [row for model in models if model.get("profile") for row in _kind_rows(model)]
    slowest = [row for model in models if model.get("profile") for row in _slowest_rows(model)]
    tables = ((TIME_HEADS, times), (KIND_HEADS, kinds), (SLOWEST_HEADS, slowest))
    return [[heads, *rows] for heads, rows in tables if rows]


def profile_notes(document: Document) -> list[str]:
    """How the profile was made, or why there is none."""
    made = dict.fromkeys(model["profile"]["measured_by"] for model in document["models"] if model.get("profile"))
    missing = {model["name"]: model["profile_reason"] for model in document["models"] if model.get("profile_reason")}
    return [
        *(f"By kind: {each}. XNNPACK runs 1×1 convolutions as matrix products." for each in made),
        *(f"{name}: no profile, {reason}" for name, reason in missing.items()),
    ]


def _time_rows(model: Document) -> list[Row]:
    rows: list[Row] = []
    for key, what in MEASURES.items():
        each = model.get(key)
        if each:
            before, after = _with_spread(each, "original"), _with_spread(each, "quantized")
            rows.append((model["name"], what, before, after, each["verdict"]))
        elif key == "two_threads" and model.get("two_threads_reason"):
            rows.append((model["name"], what, "–", "–", model["two_threads_reason"]))
    return rows


def _with_spread(measured: Document, which: str) -> str:
    return f"{measured[f'{which}_ms']:.2f} (IQR {measured[f'{which}_iqr_ms']:.2f})"


def _kind_rows(model: Document) -> list[Row]:
    before, after = (model["profile"][which] for which in PROFILED)
    earlier = {each["kind"]: each["ms"] for each in before["kinds"]}
    rows: list[Row] = [
        (model["name"], each["kind"], _milliseconds(earlier.get(each["kind"])), _milliseconds(each["ms"]),
         f"{each['share']:.0%}")
        for each in after["kinds"]
    ]  # fmt: skip
    gone = earlier.keys() - {each["kind"] for each in after["kinds"]}
    rows += [(model["name"], kind, _milliseconds(earlier[kind]), "–", "–") for kind in sorted(gone)]
    rows = [row for row in rows if {row[2], row[3]} - {"0.00", "–"}]
    between = [profile["between"] for profile in (before, after)]
    times = [_milliseconds(each["ms"]) for each in between]
    return [*rows, (model["name"], "between operators", *times, f"{between[1]['share']:.0%}")]


def _slowest_rows(model: Document) -> list[Row]:
    profile = model["profile"]["quantized"]
    return [
        (model["name"], f"{each['place'] + 1}: {each['operator']}", _milliseconds(each["ms"]), f"{each['share']:.0%}")
        for each in profile["slowest"]
    ]


def _by_kind(profiles: Iterable[Document]) -> list[tuple[str, float]]:
    """Milliseconds by kind over several models, the most first."""
    sums: dict[str, float] = {}
    for profile in profiles:
        sums["between operators"] = sums.get("between operators", 0.0) + profile["between"]["ms"]
        for each in profile["kinds"]:
            sums[each["kind"]] = sums.get(each["kind"], 0.0) + each["ms"]
    return sorted(sums.items(), key=lambda entry: -entry[1])


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
