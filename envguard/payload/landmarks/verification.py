"""From comparisons of two landmarkers to the figures that a report shows and that gates are applied to."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from .anatomy import MEASURES
from .comparison import Comparison, Subject
from .detections import Difference
from .kinds import Kind

SCORES = {Kind.FACE: "blendshapes", Kind.POSE: "visibility"}
"""What the scores of a detection are called in results."""


def counted(kind: Kind) -> str:
    """What is counted, as results and gates call it: `faces`, `hands` or `poses`."""
    return f"{kind.value}s"


def measures(subject: Subject, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Counts, landmark shift and whatever else the kind has; None where nothing was measured.

    The keys are the same for all kinds, but for what is counted (`faces`), the crop's side (`px_256`) and the body
    measure (`inter_ocular`). Faces and poses have scores, hands and poses world landmarks, hands a side.
    """
    differences = [item for comparison in comparisons for item in comparison.differences]
    kind = subject.kind
    found: dict[str, Any] = {
        counted(kind): {
            "images": len(comparisons),
            "before": sum(comparison.before for comparison in comparisons),
            "after": sum(comparison.after for comparison in comparisons),
            "lost": sum(comparison.lost for comparison in comparisons),
            "extra": sum(comparison.extra for comparison in comparisons),
        },
        "landmark_shift": _landmark_shift(subject, differences),
    }
    if kind in SCORES:
        found[SCORES[kind]] = _score_difference(differences)
    if kind is Kind.HAND:
        found[counted(kind)]["flipped"] = sum(item.flipped for item in differences)
    if kind is not Kind.FACE:
        found["world_shift"] = _world_shift(differences)
    return found


def latency(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """Medians over the images of the whole IMAGE call in milliseconds, and their ratio."""
    original = statistics.median(comparison.seconds[0] for comparison in comparisons)
    quantized = statistics.median(comparison.seconds[1] for comparison in comparisons)
    return {
        "original_ms": original * 1_000,
        "quantized_ms": quantized * 1_000,
        "ratio": quantized / original,
    }


def _landmark_shift(subject: Subject, differences: Sequence[Difference]) -> dict[str, Any] | None:
    if not differences:
        return None
    return {
        f"px_{subject.crop_side}": _spread([item.crop_px for item in differences]),
        MEASURES[subject.kind].name: {"mean": statistics.fmean(item.relative for item in differences)},
    }


def _score_difference(differences: Sequence[Difference]) -> dict[str, float] | None:
    measured = [item.scores for item in differences if item.scores is not None]
    if not measured:
        return None
    return {
        "mean_abs": statistics.fmean(mean for mean, _ in measured),
        "max": max(largest for _, largest in measured),
    }


def _world_shift(differences: Sequence[Difference]) -> dict[str, Any] | None:
    measured = [item.world_mm for item in differences if item.world_mm is not None]
    return {"mm": _spread(measured)} if measured else None


def _spread(values: Sequence[float]) -> dict[str, float]:
    array = np.array(values)
    return {"mean": float(array.mean()), "p95": float(np.percentile(array, 95)), "max": float(array.max())}
