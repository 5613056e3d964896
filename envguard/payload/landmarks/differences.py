"""How far two detections of the same thing are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .detections import Detection
from .kind import Anatomy


@dataclass(frozen=True)
class Difference:
    """How far the second reading of one thing is from the first.

    `crop_px` is the mean distance of its landmarks in pixels of the crop that the landmark model sees in IMAGE mode;
    `relative` the same mean divided by a length of what was found (see `Anatomy`). `scores` has the mean and
    the largest absolute difference, `world_mm` the mean distance of the world landmarks, each None where one reading
    has none. `flipped` says that a left hand became a right one, or the other way round, `recognized_otherwise` that
    the category is another; scores of different categories are not compared.
    """

    crop_px: float
    relative: float
    scores: tuple[float, float] | None = None
    world_mm: float | None = None
    flipped: bool = False
    recognized_otherwise: bool = False


def difference(anatomy: Anatomy, before: Detection, after: Detection, crop_side: int) -> Difference:
    """Measure the second reading against the first; `crop_side` is the side in pixels that the landmark model takes."""
    pixels = float(np.linalg.norm(after.landmarks - before.landmarks, axis=1).mean())
    return Difference(
        crop_px=pixels * crop_side / anatomy.region(before.landmarks).side,
        relative=pixels / anatomy.length(before.landmarks),
        scores=_score_difference(score_gaps(before, after)),
        world_mm=_world_shift(before.world, after.world),
        flipped=before.side != after.side,
        recognized_otherwise=before.category != after.category,
    )


def score_gaps(before: Detection, after: Detection) -> np.ndarray | None:
    """The absolute difference of each score; None where one has none, or they are scores of different categories."""
    if before.scores is None or after.scores is None or before.category != after.category:
        return None
    # A score that is not a number is as wrong as a score can be, and JSON has no name for it.
    return np.nan_to_num(np.abs(after.scores - before.scores), nan=1.0, posinf=1.0)


def _score_difference(gaps: np.ndarray | None) -> tuple[float, float] | None:
    return None if gaps is None else (float(gaps.mean()), float(gaps.max()))


def _world_shift(before: np.ndarray | None, after: np.ndarray | None) -> float | None:
    if before is None or after is None:
        return None
    return 1_000.0 * float(np.linalg.norm(after - before, axis=1).mean())
