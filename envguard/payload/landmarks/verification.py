"""From images on which two landmarkers were compared to the figures that are reported and judged."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from ..contract import CallTimes, Counts, LandmarkShift, Measures, ScoreShift, Spread
from .comparison import ComparedImage, Subject
from .differences import Difference


def measures(subject: Subject, compared: Sequence[ComparedImage]) -> Measures:
    """Counts, landmark shift and whatever else the kind has."""
    differences = [item for image in compared for item in image.differences]
    return Measures(
        counts=_counts(subject, compared, differences),
        landmark_shift=_landmark_shift(subject, differences),
        scores=_score_shift(subject.kind.scores, differences),
        world_mm=_spread([item.world_mm for item in differences if item.world_mm is not None]),
    )


def call_times(compared: Sequence[ComparedImage]) -> CallTimes:
    """Medians of the whole IMAGE call over the images."""
    original = statistics.median(image.seconds[0] for image in compared)
    quantized = statistics.median(image.seconds[1] for image in compared)
    return CallTimes(original * 1_000, quantized * 1_000, quantized / original)


def _counts(subject: Subject, compared: Sequence[ComparedImage], differences: Sequence[Difference]) -> Counts:
    return Counts(
        things=subject.kind.things,
        images=len(compared),
        before=sum(image.before for image in compared),
        after=sum(image.after for image in compared),
        lost=sum(image.lost for image in compared),
        extra=sum(image.extra for image in compared),
        flipped=sum(item.flipped for item in differences) if subject.kind.has_sides else None,
        changed=sum(item.recognized_otherwise for item in differences) if subject.kind.has_categories else None,
    )


def _landmark_shift(subject: Subject, differences: Sequence[Difference]) -> LandmarkShift | None:
    px = _spread([item.crop_px for item in differences])
    if px is None:
        return None
    relative = statistics.fmean(item.relative for item in differences)
    return LandmarkShift(subject.crop_side, px, subject.kind.anatomy.measure, relative)


def _score_shift(name: str, differences: Sequence[Difference]) -> ScoreShift | None:
    measured = [item.scores for item in differences if item.scores is not None]
    if not measured:
        return None
    return ScoreShift(name, statistics.fmean(mean for mean, _ in measured), max(largest for _, largest in measured))


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    array = np.array(values)
    return Spread(float(array.mean()), float(np.percentile(array, 95)), float(array.max()))
