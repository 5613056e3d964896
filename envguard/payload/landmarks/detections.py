"""What a landmarker finds in a picture, and how far two findings of the same thing are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .anatomy import MEASURES, box, region_of
from .kinds import Kind

SAME_OVERLAP = 0.3
"""Intersection over union of two bounding boxes from which they are taken to be around the same thing."""


@dataclass(frozen=True)
class Detection:
    """One face, hand or body as a landmarker found it.

    `landmarks` are (N, 2) positions in pixels of the picture, `world` the (N, 3) metres that hands and bodies have too.
    `scores`, from 0 to 1, are a face's blendshapes or the visibility of a body's landmarks. `side` is `Left` or `Right`
    of a hand; `names` are what the scores are called, if MediaPipe says.
    """

    landmarks: np.ndarray
    scores: np.ndarray | None = None
    world: np.ndarray | None = None
    side: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matching:
    """Which detections of two readings are the same; `lost` are only in the first, `extra` only in the second."""

    pairs: tuple[tuple[Detection, Detection], ...]
    lost: int
    extra: int


@dataclass(frozen=True)
class Difference:
    """How far the second reading of one thing is from the first.

    `crop_px` is the mean distance of its landmarks in pixels of the crop that the landmark model sees in IMAGE mode;
    `relative` the same mean divided by a length of what was found (see `anatomy.MEASURES`). `scores` has the mean and
    the largest absolute difference, `world_mm` the mean distance of the world landmarks, each None where one reading
    has none. `flipped` says that a left hand became a right one, or the other way round.
    """

    crop_px: float
    relative: float
    scores: tuple[float, float] | None = None
    world_mm: float | None = None
    flipped: bool = False


def overlap(one: Detection, other: Detection) -> float:
    """Intersection over union of the two bounding boxes; 0 for landmarks that are not numbers."""
    boxes = np.array([box(one.landmarks), box(other.landmarks)])
    if not np.isfinite(boxes).all():
        return 0.0
    sides = np.clip(boxes[:, 2:].min(axis=0) - boxes[:, :2].max(axis=0), 0.0, None)
    shared = float(np.prod(sides))
    union = float(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).sum()) - shared
    return shared / union if union > 0 else 0.0


def match(before: Sequence[Detection], after: Sequence[Detection]) -> Matching:
    """Pair the detections of two readings of one picture, those that overlap most first."""
    candidates = sorted(
        ((overlap(one, other), i, j) for i, one in enumerate(before) for j, other in enumerate(after)),
        key=lambda candidate: (-candidate[0], candidate[1], candidate[2]),
    )
    partner: dict[int, int] = {}
    for share, i, j in candidates:
        if share >= SAME_OVERLAP and i not in partner and j not in partner.values():
            partner[i] = j
    pairs = tuple((before[i], after[j]) for i, j in sorted(partner.items()))
    return Matching(pairs, lost=len(before) - len(pairs), extra=len(after) - len(pairs))


def difference(kind: Kind, before: Detection, after: Detection, crop_side: int) -> Difference:
    """Measure the second reading against the first; `crop_side` is the side in pixels that the landmark model takes."""
    pixels = float(np.linalg.norm(after.landmarks - before.landmarks, axis=1).mean())
    return Difference(
        crop_px=pixels * crop_side / region_of(kind, before.landmarks).side,
        relative=pixels / MEASURES[kind].of(before.landmarks),
        scores=_score_difference(before.scores, after.scores),
        world_mm=_world_shift(before.world, after.world),
        flipped=before.side != after.side,
    )


def _score_difference(before: np.ndarray | None, after: np.ndarray | None) -> tuple[float, float] | None:
    if before is None or after is None:
        return None
    # A score that is not a number is as wrong as a score can be, and JSON has no name for it.
    gaps = np.nan_to_num(np.abs(after - before), nan=1.0, posinf=1.0)
    return float(gaps.mean()), float(gaps.max())


def _world_shift(before: np.ndarray | None, after: np.ndarray | None) -> float | None:
    if before is None or after is None:
        return None
    return 1_000.0 * float(np.linalg.norm(after - before, axis=1).mean())
