"""What a page says in a few words: the figures that count, what the verdict does not rest on, layers in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import Measures, ModelReport, QuantizeDocument, VerifyFindings
from . import roads


@dataclass(frozen=True)
class KeyFigure:
    """A figure that stands at the top, and what to hold it against."""

    name: str
    value: str
    beside: str


@dataclass(frozen=True)
class LayerRun:
    """Layers that follow each other and are treated alike; `start` counts from 0."""

    start: int
    length: int
    treatment: str


def key_figures(document: QuantizeDocument) -> list[KeyFigure]:
    """Size, time, landmarks and what is found: the answer in four figures, as far as they were measured."""
    found = []
    if document.ratio is not None:
        before = document.input.bytes
        after = round(document.ratio * before)
        found.append(KeyFigure("Size", f"{document.ratio:.2f}", f"of the original: {before:,} to {after:,} bytes"))
    verify = document.verify
    if verify and verify.latency:
        times = verify.latency
        beside = f"of the original's: {times.original_ms:.1f} to {times.quantized_ms:.1f} ms (medians)"
        found.append(KeyFigure("Time of a whole call", f"{times.ratio:.2f}", beside))
    if verify and verify.measures:
        found += _measured(verify.measures, verify.noise)
    return found


def _measured(measures: Measures, noise: Measures | None) -> list[KeyFigure]:
    found = []
    shift, floor = measures.landmark_shift, noise.landmark_shift if noise else None
    if shift is not None:
        beside = f"of a {shift.crop_side}-pixel crop on average"
        beside += f"; invisible noise: {floor.px.mean:.2f}" if floor else ""
        found.append(KeyFigure("Landmarks move", f"{shift.px.mean:.2f} px", beside))
    counts = measures.counts
    beside = f"of {counts.before}; {counts.extra} new"
    return [*found, KeyFigure(f"{counts.things} lost".capitalize(), str(counts.lost), beside)]


def unverified(document: QuantizeDocument, pictures: int) -> list[str]:
    """What the verdict does not rest on, in sentences, on a page with so many pictures."""
    cpu = document.cpu
    here = f"{cpu.name}, {cpu.architecture}" if cpu else "this computer's processor"
    told = [f"Times are of {here}. No phone and no NPU was tried; LiteRT on a phone has other kernels."]
    told += roads.unverified(document)
    told += _of_verification(document.verify, pictures)
    for model in document.models:
        told += _of_model(model)
    if document.dropped:
        told.append(f"Left out of the output, as asked: {', '.join(document.dropped)}.")
    return told


def _of_verification(verify: VerifyFindings | None, pictures: int) -> list[str]:
    if verify is None:
        return ["MediaPipe did not get to run the quantized file."]
    if not verify.verified or verify.sample_size is None:
        return [f"MediaPipe {verify.mediapipe} did not verify it: {verify.reason}"]
    size = verify.sample_size
    told = [
        "The reference is the original's own answer, not the truth: where the original errs, so may the copy.",
        f"{size.pictures} pictures, changed to {size.images} images, were tried; others may be harder.",
        "MediaPipe's IMAGE mode was tried; VIDEO and LIVE_STREAM, which also track, were not.",
    ]
    if not pictures:
        told.append("There are no pictures here: the details of the verification were not handed on.")
    return told


def _of_model(model: ModelReport) -> list[str]:
    name, told = model.name, []
    if not model.ran:
        return [f"{name}: {model.reason}."]
    if model.inputs == "synthetic":
        told.append(f"{name} was compared on made-up inputs only; real ones may bring larger errors.")
    if model.two_threads_reason:
        told.append(f"{name} on two threads: {model.two_threads_reason}.")
    if model.profile_reason:
        told.append(f"{name}, by operator: {model.profile_reason}.")
    timed = (("one thread", model.latency), ("two threads", model.two_threads))
    busy = [word for word, time in timed if time and time.too_busy]
    if busy:
        told.append(f"{name} on {' and '.join(busy)}: the machine was too busy to tell.")
    return told


def layer_runs(layers: Sequence[tuple[int, str]]) -> list[LayerRun]:
    """Each run of layers, for a strip that shows them in order."""
    found, start = [], 0
    for count, treatment in layers:
        found.append(LayerRun(start, count, treatment))
        start += count
    return found
