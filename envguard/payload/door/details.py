"""What steps hand on for the page of a run, in files of their own: figures image by image, pictures, single rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

Position = tuple[float, float]
"""A landmark in pixels of the picture beside it: to the right, and down."""

Positions = tuple[Position, ...]


@dataclass(frozen=True)
class ImageFigures:
    """One image: how many things the original finds, how many only one of both finds.

    `px` is the mean shift of each detection's landmarks in pixels of the crop, `ms` the whole call before and after.
    """

    name: str
    before: int
    lost: int
    extra: int
    px: tuple[float, ...]
    ms: tuple[float, float]


@dataclass(frozen=True)
class ShownPicture:
    """A picture (JPEG in base64, width and height) with the landmarks of all that was found in it.

    `px` is the mean shift of each pair; `lost` and `extra` are landmarks of what only one of both finds.
    """

    name: str
    size: tuple[int, int]
    jpeg: str
    px: tuple[float, ...]
    before: tuple[Positions, ...]
    after: tuple[Positions, ...]
    lost: tuple[Positions, ...] = ()
    extra: tuple[Positions, ...] = ()


@dataclass(frozen=True)
class ShownShift:
    """The surroundings of a landmark that moved by `shift` pixels of the crop, each `magnified` to that many here."""

    name: str
    size: tuple[int, int]
    jpeg: str
    magnified: float
    landmark: int
    shift: float
    before: Positions
    after: Positions


@dataclass(frozen=True)
class EveryScore:
    """Absolute differences of each score over all detections; `name` is what all of them are called."""

    name: str
    names: tuple[str, ...]
    mean_abs: tuple[float, ...]
    max: tuple[float, ...]
    noise_mean_abs: Optional[tuple[float, ...]] = None


@dataclass(frozen=True)
class VerifyDetails:
    """What the step `verify` hands on as `details`; `noise_px` is `px` of the original against itself with noise.

    There were as many `views` as pictures and parts of pictures were tried; `pictures` are some of them.
    """

    kind: str
    things: str
    crop_side: int
    images: tuple[ImageFigures, ...]
    noise_px: tuple[float, ...]
    scores: Optional[EveryScore]
    views: int
    pictures: tuple[ShownPicture, ...]
    zooms: tuple[ShownShift, ...]
    schema: Literal[2] = 2


Rounds = tuple[tuple[float, float], ...]
"""Milliseconds of each round, (original, quantized)."""


@dataclass(frozen=True)
class ModelRounds:
    """Every round of one model, by what was timed; `compare` hands on a mapping of these by model as `samples`."""

    latency: Rounds = ()
    load: Rounds = ()
    first: Rounds = ()
    two_threads: Rounds = ()
