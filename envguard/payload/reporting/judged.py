"""What a report says of the verdict: gates with what was measured, the figures that count, what nobody looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

SCORES = {
    "face": ("blendshapes", "Blendshapes", "blendshape-shift"),
    "pose": ("visibility", "Visibility", "visibility-shift"),
}
SCORE_LIMITS = {"face": "max_blendshape", "pose": "max_visibility"}


@dataclass(frozen=True)
class Gate:
    """One thing that was judged."""

    what: str
    measured: str
    allowed: str
    passed: bool


@dataclass(frozen=True)
class Fact:
    """A figure that stands at the top, and what to hold it against."""

    name: str
    value: str
    beside: str


def facts(document: Document) -> list[Fact]:
    """Size, time, landmarks and what is found: the answer in four figures, as far as they were measured."""
    found = []
    if document["ratio"] is not None:
        before = document["input"]["bytes"]
        after = round(document["ratio"] * before)
        found.append(Fact("Size", f"{document['ratio']:.2f}", f"of the original: {before:,} to {after:,} bytes"))
    verify = _verified(document)
    if verify is None:
        return found
    latency = verify["latency"]
    found.append(
        Fact(
            "Time of a whole call",
            f"{latency['ratio']:.2f}",
            f"of the original's: {latency['original_ms']:.1f} to {latency['quantized_ms']:.1f} ms (medians)",
        )
    )
    shift = pixels(verify)
    if shift is not None:
        noise = pixels(verify["noise_floor"])
        beside = f"of a {shift[0]}-pixel crop on average" + (f"; invisible noise: {noise[1]:.2f}" if noise else "")
        found.append(Fact("Landmarks move", f"{shift[1]:.2f} px", beside))
    things = f"{verify['kind']}s"
    counts = verify[things]
    found.append(
        Fact(f"{things} lost".capitalize(), str(counts["lost"]), f"of {counts['before']}; {counts['extra']} new")
    )
    return found


def gates(document: Document, limits: Mapping[str, Mapping[str, Any]]) -> list[Gate]:
    """Every limit that was set, with what was measured against it."""
    failed = {failure["name"] for failure in document["failures"]}
    found = _time_gates(document, limits.get("compare", {}), failed)
    verify = _verified(document)
    if verify is None:
        return found
    allowed = limits.get("verify", {})
    kind = verify["kind"]
    things = f"{kind}s"
    counts, shift = verify[things], pixels(verify)
    limit = landmark_limit(kind, allowed)
    if shift is not None and limit is not None:
        found.append(
            Gate("Landmark shift, mean", f"{shift[1]:.2f} px", f"{limit:g} px", "landmark-shift" not in failed)
        )
    for name in ("lost", "extra", "flipped"):
        share = allowed.get(f"max_{things}_{name}")
        if share is not None and name in counts:
            measured = f"{counts[name]} of {counts['before']}"
            found.append(
                Gate(f"{things} {name}".capitalize(), measured, f"{share:.1%}", f"{things}-{name}" not in failed)
            )
    key, word, failure = SCORES.get(kind, ("", "", ""))
    most = allowed.get(SCORE_LIMITS.get(kind, ""))
    if verify.get(key) and most is not None:
        found.append(
            Gate(f"{word}, mean difference", f"{verify[key]['mean_abs']:.4f}", f"{most:g}", failure not in failed)
        )
    return found


def _time_gates(document: Document, limits: Mapping[str, Any], failed: set[str]) -> list[Gate]:
    limit = limits.get("max_latency_ratio")
    timed = [(model["latency"]["ratio"], model["name"]) for model in document["models"] if model.get("latency")]
    if limit is None or not timed:
        return []
    ratio, name = max(timed)
    what = "Slowest model against its original, one thread"
    return [Gate(what, f"{ratio:.2f} ({name})", f"{limit:g}", "slower-than-limit" not in failed)]


def landmark_limit(kind: str, limits: Mapping[str, Any]) -> float | None:
    """How far landmarks may move on average, in pixels of the crop."""
    limit = limits.get("max_landmark_px" if kind == "face" else f"max_{kind}_px")
    return None if limit is None else float(limit)


def pixels(measured: Document) -> tuple[int, float] | None:
    """The crop's side and the mean shift of landmarks in its pixels."""
    for name, spread in (measured.get("landmark_shift") or {}).items():
        if name.startswith("px_"):
            return int(name[3:]), float(spread["mean"])
    return None


def unverified(document: Document, pictures: int) -> list[str]:
    """What the verdict does not rest on, in sentences."""
    cpu = document.get("cpu") or {}
    here = f"{cpu['name']}, {cpu['architecture']}" if cpu else "this computer's processor"
    told = [f"Times are of {here}. No phone, no GPU and no NPU was tried; LiteRT on a phone has other kernels."]
    verify = document["verify"]
    if verify is None:
        told.append("MediaPipe did not get to run the quantized file.")
    elif not verify["verified"]:
        told.append(f"MediaPipe {verify['mediapipe']} did not verify it: {verify['reason']}")
    else:
        size = verify["sample_size"]
        told += [
            "The reference is the original's own answer, not the truth: where the original errs, so may the copy.",
            f"{size['pictures']} pictures, changed to {size['images']} images, were tried; others may be harder.",
            "MediaPipe's IMAGE mode was tried; VIDEO and LIVE_STREAM, which also track, were not.",
        ]
        if not pictures:
            told.append("There are no pictures here: the details of the verification were not handed on.")
    for model in document["models"]:
        told += _of_model(model)
    if document["dropped"]:
        told.append(f"Left out of the output, as asked: {', '.join(document['dropped'])}.")
    return told


def _of_model(model: Document) -> list[str]:
    name, told = model["name"], []
    if not model["ran"]:
        return [f"{name}: {model['reason']}."]
    if model.get("inputs") == "synthetic":
        told.append(f"{name} was compared on made-up inputs only; real ones may bring larger errors.")
    if model.get("two_threads_reason"):
        told.append(f"{name} on two threads: {model['two_threads_reason']}.")
    if model.get("profile_reason"):
        told.append(f"{name}, by operator: {model['profile_reason']}.")
    busy = [
        word for key, word in (("latency", "one thread"), ("two_threads", "two threads")) if _too_busy(model.get(key))
    ]
    if busy:
        told.append(f"{name} on {' and '.join(busy)}: the machine was too busy to tell.")
    return told


def _too_busy(measured: Document | None) -> bool:
    return bool(measured and measured["too_busy"])


def _verified(document: Document) -> Document | None:
    verify: Document | None = document["verify"]
    return verify if verify and verify["verified"] else None


def barcode(layers: Sequence[Sequence[Any]]) -> list[tuple[int, int, str]]:
    """Start, length and treatment of each run of layers, for a strip that shows them in order."""
    found, start = [], 0
    for count, treatment in layers:
        found.append((start, int(count), str(treatment)))
        start += int(count)
    return found
