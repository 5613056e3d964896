"""Run the original and the quantized bundle in MediaPipe itself and judge how far their answers are apart."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import bundle as bundles
from ..face_comparison import Comparison, compare, find_views, noise_floor
from ..face_views import Picture, read_picture
from ..faces import Difference
from ..landmarkers import VERSION, Kind, Rejected, count_hands, count_poses, face_reader, has_blendshapes, kind_of
from ..protocol import Events, Failure, Refused, Request, Result

PICTURE_PREFIX = "picture:"
MORE_ACCURATE = "Quantize fewer layers, or calibrate on pictures that are like your own."


@dataclass(frozen=True)
class Limits:
    """What a quantized bundle may differ by: means over all faces, and parts of the faces that the original finds.

    Without a limit faces that only the quantized bundle finds are counted and not judged: most of them are real ones
    that the original's detector just misses.
    """

    landmark_px: float
    blendshape: float
    faces_lost: float
    faces_extra: float | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Limits:
        """Read a request's options `max_landmark_px`, `max_blendshape`, `max_faces_lost`, or `max_faces_extra` too."""
        extra = options.get("max_faces_extra")
        return cls(
            landmark_px=float(options["max_landmark_px"]),
            blendshape=float(options["max_blendshape"]),
            faces_lost=float(options["max_faces_lost"]),
            faces_extra=None if extra is None else float(extra),
        )


def run(request: Request, events: Events) -> Result:
    """Verify `inputs["quantized"]` against `inputs["original"]` on the inputs named `picture:FILE NAME`.

    Options: see `Limits`. Face bundles are measured; what hand and pose bundles find is only counted, so that
    MediaPipe is known to take and run them. For these and anything else `verified` is false, and `reason` says why.
    Failures: `mediapipe-rejects`, `faces-lost`, `faces-extra`, `landmark-shift`, `blendshape-shift`. `Refused`: an
    original that MediaPipe rejects, no picture, a picture that cannot be decoded, no face in any picture.
    """
    original, quantized = bundles.read(request.inputs["original"]), bundles.read(request.inputs["quantized"])
    limits = Limits.of(request.options)
    kind = kind_of(original)
    if kind is Kind.OTHER:
        return _not_verified(kind, _why_not(original))
    pictures = _read_pictures(request)
    if kind is Kind.FACE:
        return _verify_faces(original, quantized, pictures, limits, events)
    return _count(original.path, quantized.path, kind, pictures)


def judge(values: Mapping[str, Any], limits: Limits) -> tuple[Failure, ...]:
    """The gates that the measured `values` do not pass."""
    faces, shift, blendshapes = values["faces"], values["landmark_shift"], values["blendshapes"]
    failures = []
    for name, count, limit, what in (
        ("faces-lost", faces["lost"], limits.faces_lost, "not found any more"),
        ("faces-extra", faces["extra"], limits.faces_extra, "found where the original finds none"),
    ):
        if limit is not None and count > limit * faces["before"]:
            message = f"{count} faces are {what}; the original finds {faces['before']}, and {limit:.1%} is allowed."
            failures.append(Failure(name, message, MORE_ACCURATE))
    if shift is not None and shift["px_256"]["mean"] > limits.landmark_px:
        message = (
            f"Landmarks move by {shift['px_256']['mean']:.2f} pixels of a 256-pixel crop on average;"
            f" {limits.landmark_px:g} is allowed."
        )
        failures.append(Failure("landmark-shift", message, MORE_ACCURATE))
    if blendshapes is not None and blendshapes["mean_abs"] > limits.blendshape:
        message = f"Blendshapes change by {blendshapes['mean_abs']:.4f} on average; {limits.blendshape:g} is allowed."
        failures.append(Failure("blendshape-shift", message, MORE_ACCURATE))
    return tuple(failures)


def _why_not(original: bundles.Bundle) -> str:
    if original.suffix == bundles.MODEL_SUFFIX:
        return "MediaPipe's landmarkers take .task bundles; a single model's own outputs are compared instead."
    names = ", ".join(model.name for model in original.models())
    return f"This is not a face, hand or pose landmarker bundle; it holds {names}."


def _read_pictures(request: Request) -> list[Picture]:
    paths = [path for name, path in request.inputs.items() if name.startswith(PICTURE_PREFIX)]
    if not paths:
        raise Refused("There is no picture to verify with.", next_step="Give at least one picture with a face.")
    return [read_picture(path) for path in paths]


def _verify_faces(
    original: bundles.Bundle,
    quantized: bundles.Bundle,
    pictures: Sequence[Picture],
    limits: Limits,
    events: Events,
) -> Result:
    with ExitStack() as stack:
        try:
            before = stack.enter_context(face_reader(original.path, blendshapes=has_blendshapes(original)))
            views = find_views(before, pictures, events)
            noise = noise_floor(before, views)
        except Rejected as rejection:
            raise _refusal(rejection) from rejection
        try:
            after = stack.enter_context(face_reader(quantized.path, blendshapes=has_blendshapes(quantized)))
            comparisons = compare(before, after, views, events)
        except Rejected as rejection:
            return _rejected(Kind.FACE, rejection)
    values: dict[str, Any] = {
        "verified": True,
        "kind": Kind.FACE.value,
        "mediapipe": VERSION,
        "reference": "original",
        "sample_size": {"pictures": len(pictures), "views": len(views), "images": len(comparisons)},
        **_measures(comparisons),
        "latency": _latency(comparisons),
        "noise_floor": _measures(noise),
    }
    return Result(values, judge(values, limits))


def _count(original: Path, quantized: Path, kind: Kind, pictures: Sequence[Picture]) -> Result:
    count = count_hands if kind is Kind.HAND else count_poses
    images = [picture.pixels for picture in pictures]
    try:
        before = count(original, images)
    except Rejected as rejection:
        raise _refusal(rejection) from rejection
    try:
        after = count(quantized, images)
    except Rejected as rejection:
        return _rejected(kind, rejection)
    reason = f"MediaPipe takes and runs the {kind.value} bundle; how far its landmarks move was not measured."
    return _not_verified(kind, reason, found={"images": len(images), "before": before, "after": after})


def _not_verified(kind: Kind, reason: str, **more: object) -> Result:
    return Result({"verified": False, "kind": kind.value, "mediapipe": VERSION, "reason": reason, **more})


def _refusal(rejection: Rejected) -> Refused:
    return Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection))


def _rejected(kind: Kind, rejection: Rejected) -> Result:
    failure = Failure(
        "mediapipe-rejects",
        f"MediaPipe {VERSION} does not take the quantized bundle: {rejection}",
        "Quantize with another recipe; the message names what the runtime misses.",
    )
    return Result(_not_verified(kind, str(rejection)).values, (failure,))


def _measures(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Faces counted, landmark shift and blendshape difference, the latter two None where nothing was measured."""
    differences = [item for comparison in comparisons for item in comparison.differences]
    return {
        "faces": {
            "images": len(comparisons),
            "before": sum(comparison.before for comparison in comparisons),
            "after": sum(comparison.after for comparison in comparisons),
            "lost": sum(comparison.lost for comparison in comparisons),
            "extra": sum(comparison.extra for comparison in comparisons),
        },
        "landmark_shift": _landmark_shift(differences),
        "blendshapes": _blendshape_difference(differences),
    }


def _landmark_shift(differences: Sequence[Difference]) -> dict[str, Any] | None:
    if not differences:
        return None
    shifts = np.array([item.px_256 for item in differences])
    return {
        "px_256": {
            "mean": float(shifts.mean()),
            "p95": float(np.percentile(shifts, 95)),
            "max": float(shifts.max()),
        },
        "inter_ocular": {"mean": statistics.fmean(item.inter_ocular for item in differences)},
    }


def _blendshape_difference(differences: Sequence[Difference]) -> dict[str, float] | None:
    measured = [item.blendshapes for item in differences if item.blendshapes is not None]
    if not measured:
        return None
    return {
        "mean_abs": statistics.fmean(mean for mean, _ in measured),
        "max": max(largest for _, largest in measured),
    }


def _latency(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """Medians over the images of the whole IMAGE call in milliseconds, and their ratio."""
    original = statistics.median(comparison.seconds[0] for comparison in comparisons)
    quantized = statistics.median(comparison.seconds[1] for comparison in comparisons)
    return {
        "original_ms": original * 1_000,
        "quantized_ms": quantized * 1_000,
        "ratio": quantized / original,
    }
