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
    has none. `flipped` says that a left hand became a right one, or the other way round.
    """

    crop_px: float
    relative: float
    scores: tuple[float, float] | None = None
    world_mm: float | None = None
    flipped: bool = False


def difference(anatomy: Anatomy, before: Detection, after: Detection, crop_side: int) -> Difference:
    """Measure the second reading against the first; `crop_side` is the side in pixels that the landmark model takes."""
    pixels = float(np.linalg.norm(after.landmarks - before.landmarks, axis=1).mean())
    return Difference(
        crop_px=pixels * crop_side / anatomy.region(before.landmarks).side,
        relative=pixels / anatomy.length(before.landmarks),
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
