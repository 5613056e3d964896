"""Run the original and the quantized bundle in MediaPipe itself and judge how far their answers are apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract import InspectFindings, Json, Request, from_json
from ..files import bundle as bundles
from ..landmarks.comparison import Comparison, Subject, compare, find_views, noise_floor
from ..landmarks.details import gather
from ..landmarks.kinds import MEMBERS, Kind, has_blendshapes, kind_of, picture_sizes
from ..landmarks.landmarkers import VERSION, Rejected, reader
from ..landmarks.verification import SCORES, counted, latency, measures
from ..landmarks.views import Picture, read_picture
from ..protocol import Events, Failure, Refused, Result

PICTURE = "picture"
DETAILS = "details"
MORE_ACCURATE = "Quantize fewer layers, or calibrate on pictures that are like your own."


@dataclass(frozen=True)
class Limits:
    """What a quantized bundle may differ by: means over all that is found, and parts of what the original finds.

    `extra` is what only the quantized bundle finds. Without a limit it is counted and not judged: most of it is really
    there and the original's detector just misses it. `score` is for blendshapes or visibility, `flipped` for hands
    whose side changed.
    """

    landmark_px: float
    lost: float
    extra: float | None = None
    score: float | None = None
    flipped: float | None = None

    @classmethod
    def of(cls, kind: Kind, options: Mapping[str, Json]) -> Limits:
        """Read a request's options; only `max_faces_extra` (`max_hands_extra`, `max_poses_extra`) may be missing.

        Of faces `max_landmark_px`, `max_faces_lost`, `max_blendshape`; of hands `max_hand_px`, `max_hands_lost`,
        `max_hands_flipped`; of poses `max_pose_px`, `max_poses_lost`, `max_visibility`.
        """
        things = counted(kind)
        limits = from_json(dict[str, float], options)
        score = {Kind.FACE: "max_blendshape", Kind.POSE: "max_visibility"}.get(kind)
        return cls(
            landmark_px=limits["max_landmark_px" if kind is Kind.FACE else f"max_{kind.value}_px"],
            lost=limits[f"max_{things}_lost"],
            extra=limits.get(f"max_{things}_extra"),
            score=None if score is None else limits[score],
            flipped=limits["max_hands_flipped"] if kind is Kind.HAND else None,
        )


def run(request: Request, events: Events) -> Result:
    """Verify `inputs["quantized"]` against `inputs["original"]` in MediaPipe.

    On the files of the input `face` for a face bundle, `hand` or `pose` for the others, and on those of `picture` for
    any. Options: see `Limits`. What the models take is read from the findings of the step `inspect`. For anything but a
    face, hand or pose bundle `verified` is false, and `reason` says why.

    Hands on `details`: what a report draws, see the module of that name.

    Failures: `mediapipe-rejects`, `faces-lost`, `faces-extra` (`hands-`, `poses-`), `landmark-shift`,
    `blendshape-shift`, `visibility-shift`, `hands-flipped`. `Refused`: an original that MediaPipe rejects, no picture,
    a picture that cannot be decoded, pictures in which the original finds nothing.
    """
    original, quantized = bundles.read(request.file("original")), bundles.read(request.file("quantized"))
    kind = kind_of(original)
    if kind is Kind.OTHER:
        return _not_verified(kind, _why_not(original))
    if kind_of(quantized) is not kind:
        return _rejected(kind, "it lacks one of the models that the landmarker runs.")
    limits = Limits.of(kind, request.options)
    subject = Subject(kind, picture_sizes(request.found(InspectFindings))[MEMBERS[kind].landmarks][0])
    return _compared(subject, original, quantized, _read_pictures(request, kind), limits, events, request.folder)


def _compared(
    subject: Subject,
    original: bundles.Bundle,
    quantized: bundles.Bundle,
    pictures: Sequence[Picture],
    limits: Limits,
    events: Events,
    folder: Path,
) -> Result:
    kind = subject.kind
    with ExitStack() as stack:
        try:
            before = stack.enter_context(reader(kind, original.path, blendshapes=has_blendshapes(original)))
            views = find_views(kind, before, pictures, events)
            noise = noise_floor(subject, before, views)
        except Rejected as rejection:
            raise Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection)) from rejection
        try:
            after = stack.enter_context(reader(kind, quantized.path, blendshapes=has_blendshapes(quantized)))
            comparisons = compare(subject, before, after, views, events)
        except Rejected as rejection:
            return _rejected(kind, str(rejection))
    values: dict[str, Any] = {
        "verified": True,
        "kind": kind.value,
        "mediapipe": VERSION,
        "reference": "original",
        "sample_size": {"pictures": len(pictures), "views": len(views), "images": len(comparisons)},
        **measures(subject, comparisons),
        "latency": latency(comparisons),
        "noise_floor": measures(subject, noise),
        "files": {DETAILS: _details(subject, comparisons, noise, views, folder)},
    }
    return Result(values, judge(subject, values, limits))


def _details(
    subject: Subject,
    comparisons: Sequence[Comparison],
    noise: Sequence[Comparison],
    views: Sequence[Picture],
    folder: Path,
) -> str:
    """Write what a report draws; the name of the file."""
    file = folder / f"{DETAILS}.json"
    file.write_text(json.dumps(gather(subject, comparisons, noise, views), allow_nan=False), encoding="utf-8")
    return file.name


def judge(subject: Subject, values: Mapping[str, Any], limits: Limits) -> tuple[Failure, ...]:
    """The gates that the measured `values` do not pass."""
    things, key = counted(subject.kind), f"px_{subject.crop_side}"
    counts, shift = values[things], values["landmark_shift"]
    failures = []
    for name, limit, what in (
        ("lost", limits.lost, "not found any more"),
        ("extra", limits.extra, "found where the original finds none"),
        ("flipped", limits.flipped, "called left instead of right, or the other way round"),
    ):
        if limit is not None and counts[name] > limit * counts["before"]:
            count, before = counts[name], counts["before"]
            message = f"{count} {things} are {what}; the original finds {before}, and {limit:.1%} is allowed."
            failures.append(Failure(f"{things}-{name}", message, MORE_ACCURATE))
    if shift is not None and shift[key]["mean"] > limits.landmark_px:
        message = (
            f"Landmarks move by {shift[key]['mean']:.2f} pixels of a {subject.crop_side}-pixel crop on average;"
            f" {limits.landmark_px:g} is allowed."
        )
        failures.append(Failure("landmark-shift", message, MORE_ACCURATE))
    scores = values.get(SCORES.get(subject.kind, ""))
    if scores is not None and limits.score is not None and scores["mean_abs"] > limits.score:
        name = "blendshape" if subject.kind is Kind.FACE else "visibility"
        message = f"The {name} changes by {scores['mean_abs']:.4f} on average; {limits.score:g} is allowed."
        failures.append(Failure(f"{name}-shift", message, MORE_ACCURATE))
    return tuple(failures)


def _why_not(original: bundles.Bundle) -> str:
    if original.suffix == bundles.MODEL_SUFFIX:
        return "MediaPipe's landmarkers take .task bundles; a single model's own outputs are compared instead."
    names = ", ".join(model.name for model in original.models())
    return f"This is not a face, hand or pose landmarker bundle; it holds {names}."


def _read_pictures(request: Request, kind: Kind) -> list[Picture]:
    paths = [*request.files(PICTURE), *request.files(kind.value)]
    if not paths:
        raise Refused(
            "There is no picture to verify with.", next_step=f"Give at least one picture with a {kind.value}."
        )
    return [read_picture(path) for path in paths]


def _not_verified(kind: Kind, reason: str) -> Result:
    return Result({"verified": False, "kind": kind.value, "mediapipe": VERSION, "reason": reason})


def _rejected(kind: Kind, reason: str) -> Result:
    failure = Failure(
        "mediapipe-rejects",
        f"MediaPipe {VERSION} does not take the quantized bundle: {reason}",
        "Quantize with another recipe; the message names what the runtime misses.",
    )
    return Result(_not_verified(kind, reason).values, (failure,))
