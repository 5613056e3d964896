"""How far what a runtime makes of the copy is from what it makes of the original: counts, shifts, times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Spread:
    """A distribution: its mean, its 95th percentile, its largest value."""

    mean: float
    p95: float
    max: float


@dataclass(frozen=True)
class SampleSize:
    """How many pictures there were, parts of them with something in them, and images that were made of those."""

    pictures: int
    views: int
    images: int


@dataclass(frozen=True)
class Counts:
    """How many `things` (faces, hands, poses) were found on `images`, before and after.

    `lost` are those that only the original finds, `extra` those that only the copy finds. `flipped` are hands that
    changed their side, `changed` those whose gesture is another; both are None for kinds that have none.
    """

    things: str
    images: int
    before: int
    after: int
    lost: int
    extra: int
    flipped: Optional[int] = None
    changed: Optional[int] = None


@dataclass(frozen=True)
class LandmarkShift:
    """How far landmarks move: in pixels of a crop of `crop_side`, and on average as a share of a `measure` of the body.

    `measure` is a name such as `inter_ocular`, the distance between the eyes.
    """

    crop_side: int
    px: Spread
    measure: str
    relative: float


@dataclass(frozen=True)
class ScoreShift:
    """How far the scores of what is found move, from 0 to 1; `name` is `blendshapes` or `visibility`."""

    name: str
    mean_abs: float
    max: float


@dataclass(frozen=True)
class Measures:
    """Two answers to the same images; None where nothing was measured or the kind does not have it."""

    counts: Counts
    landmark_shift: Optional[LandmarkShift] = None
    scores: Optional[ScoreShift] = None
    world_mm: Optional[Spread] = None


@dataclass(frozen=True)
class CallTimes:
    """Medians of a whole call in milliseconds, and their ratio."""

    original_ms: float
    quantized_ms: float
    ratio: float
