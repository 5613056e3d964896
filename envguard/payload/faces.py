"""How far two readings of the same face are apart: matching, landmark shift and blendshape difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CROP_SIDE = 256
"""Side in pixels of the crop that MediaPipe's face landmark model sees."""

ROI_SCALE = 1.5
"""By how much MediaPipe's region of interest exceeds the landmarks' bounding box (`face_landmarks_detector_graph.cc`:
LandmarksToDetection, DetectionsToRects, then RectTransformation with `scale_x` and `scale_y` 1.5, `square_long`)."""

OUTER_EYE_CORNERS = (33, 263)
"""Their indices in the face mesh; the distance that 300-W and others normalise landmark errors by."""

SAME_FACE_OVERLAP = 0.3
"""Intersection over union of two bounding boxes from which they are taken for the same face."""


@dataclass(frozen=True)
class Face:
    """One face as a landmarker found it.

    `landmarks` are (N, 2) positions in pixels of the picture, `blendshapes` (M,) scores from 0 to 1 or None.
    """

    landmarks: np.ndarray
    blendshapes: np.ndarray | None = None

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the landmarks, in pixels."""
        left, top = self.landmarks.min(axis=0)
        right, bottom = self.landmarks.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def roi_side(self) -> float:
        """Side in pixels of the square region of interest that MediaPipe crops around these landmarks."""
        left, top, right, bottom = self.box()
        return ROI_SCALE * max(right - left, bottom - top)

    def inter_ocular_distance(self) -> float:
        """Distance in pixels between the outer corners of the eyes."""
        right, left = (self.landmarks[index] for index in OUTER_EYE_CORNERS)
        return float(np.linalg.norm(left - right))


@dataclass(frozen=True)
class Matching:
    """Which faces of two readings are the same; `lost` are only in the first, `extra` only in the second."""

    pairs: tuple[tuple[Face, Face], ...]
    lost: int
    extra: int


@dataclass(frozen=True)
class Difference:
    """How far the second reading of one face is from the first.

    `px_256` is the mean distance of its landmarks in pixels of the picture, times 256 and divided by the side of the
    first reading's region of interest: the shift in pixels of the crop that the landmark model sees. `inter_ocular`
    is the same mean distance divided by the distance between the outer eye corners. `blendshapes` has the mean and the
    largest absolute difference of the scores, or None where one reading has none.
    """

    px_256: float
    inter_ocular: float
    blendshapes: tuple[float, float] | None


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of the two bounding boxes; 0 for landmarks that are not numbers."""
    boxes = np.array([one.box(), other.box()])
    if not np.isfinite(boxes).all():
        return 0.0
    sides = np.clip(boxes[:, 2:].min(axis=0) - boxes[:, :2].max(axis=0), 0.0, None)
    shared = float(np.prod(sides))
    union = float(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).sum()) - shared
    return shared / union if union > 0 else 0.0


def match(before: Sequence[Face], after: Sequence[Face]) -> Matching:
    """Pair the faces of two readings of one picture, those that overlap most first."""
    candidates = sorted(
        ((overlap(one, other), i, j) for i, one in enumerate(before) for j, other in enumerate(after)),
        key=lambda candidate: (-candidate[0], candidate[1], candidate[2]),
    )
    partner: dict[int, int] = {}
    for share, i, j in candidates:
        if share >= SAME_FACE_OVERLAP and i not in partner and j not in partner.values():
            partner[i] = j
    pairs = tuple((before[i], after[j]) for i, j in sorted(partner.items()))
    return Matching(pairs, lost=len(before) - len(pairs), extra=len(after) - len(pairs))


def difference(before: Face, after: Face) -> Difference:
    """Measure the second reading of a face against the first."""
    pixels = float(np.linalg.norm(after.landmarks - before.landmarks, axis=1).mean())
    return Difference(
        px_256=pixels * CROP_SIDE / before.roi_side(),
        inter_ocular=pixels / before.inter_ocular_distance(),
        blendshapes=_score_difference(before.blendshapes, after.blendshapes),
    )


def _score_difference(before: np.ndarray | None, after: np.ndarray | None) -> tuple[float, float] | None:
    if before is None or after is None:
        return None
    # A score that is not a number is as wrong as a score can be, and JSON has no name for it.
    gaps = np.nan_to_num(np.abs(after - before), nan=1.0, posinf=1.0)
    return float(gaps.mean()), float(gaps.max())
