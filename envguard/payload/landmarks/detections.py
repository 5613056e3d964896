"""What a landmarker finds in a picture, and which findings of two readings are of the same thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .regions import box

SAME_OVERLAP = 0.3
"""Intersection over union of two bounding boxes from which they are taken to be around the same thing."""


@dataclass(frozen=True)
class Detection:
    """One face, hand or body as a landmarker found it.

    `landmarks` are (N, 2) positions in pixels of the picture, `world` the (N, 3) metres that hands and bodies have too.
    `scores`, from 0 to 1, are a face's blendshapes, the visibility of a body's landmarks, or that of a hand's gesture;
    `names` are what they are called, if MediaPipe says. `side` is `Left` or `Right` of a hand, `category` its gesture,
    and `features` are what the model that recognizes it is given, an array for each of its inputs.
    """

    landmarks: np.ndarray
    scores: np.ndarray | None = None
    world: np.ndarray | None = None
    side: str = ""
    category: str = ""
    names: tuple[str, ...] = ()
    features: tuple[np.ndarray, ...] = ()


class Rejected(Exception):
    """A runtime did not take a bundle; the text is its own message."""


@dataclass(frozen=True)
class Reading:
    """What one call found, and how many seconds it took."""

    found: tuple[Detection, ...]
    seconds: float


Reader = Callable[[np.ndarray], Reading]
"""From RGB pixels to what is found in them."""

MOST = 8
"""How many things are looked for in one picture."""


@dataclass(frozen=True)
class Matching:
    """Which detections of two readings are the same; `lost` are only in the first, `extra` only in the second."""

    pairs: tuple[tuple[Detection, Detection], ...]
    lost: int
    extra: int


def positions(landmarks: Any, size: np.ndarray) -> np.ndarray:
    """MediaPipe's normalised landmarks in pixels of a picture of that width and height."""
    pixels: np.ndarray = np.array([(point.x, point.y) for point in landmarks], dtype=np.float64) * size
    return pixels


def metres(landmarks: Any) -> np.ndarray:
    """MediaPipe's world landmarks, (N, 3)."""
    return np.array([(point.x, point.y, point.z) for point in landmarks], dtype=np.float64)


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
