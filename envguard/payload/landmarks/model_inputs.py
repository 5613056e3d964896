"""What MediaPipe's graphs give to the models of a bundle: the whole picture, or a crop along what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .regions import Region

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Seen:
    """A picture, the landmarks of what was found in it, and what is asked for.

    `size` is that of the picture that the model takes, None for a model that takes none or is left out. Of each thing
    found there are inputs in that many `framings`, or in all. `features` of each are what it is recognized from.
    """

    pixels: np.ndarray
    found: Sequence[np.ndarray]
    size: Size | None
    framings: int | None = None
    features: Sequence[tuple[np.ndarray, ...]] = ()


InputMaker = Callable[[Seen], list[np.ndarray]]
"""Makes the samples for one input of a model."""


def whole_picture(seen: Seen) -> list[np.ndarray]:
    """What a detector is given: the whole picture."""
    return [] if seen.size is None else [whole_input(seen.pixels, seen.size)]


@dataclass(frozen=True)
class Feature:
    """What a model that recognizes things is given of each of them: the feature of that number."""

    number: int

    def __call__(self, seen: Seen) -> list[np.ndarray]:
        """The feature of everything found."""
        return [features[self.number] for features in seen.features]


@dataclass(frozen=True)
class Crops:
    """What a landmark model is given: each thing that was found, in the regions that `framed` makes of its landmarks.

    For `repeat_edge` see `region_input`.
    """

    framed: Callable[[np.ndarray], Sequence[Region]]
    repeat_edge: bool = True

    def __call__(self, seen: Seen) -> list[np.ndarray]:
        """The crops of everything found."""
        if seen.size is None:
            return []
        return [
            region_input(seen.pixels, region, seen.size, repeat_edge=self.repeat_edge)
            for landmarks in seen.found
            for region in self.framed(landmarks)[: seen.framings]
        ]


def whole_input(pixels: np.ndarray, size: Size) -> np.ndarray:
    """The whole picture, (height, width, 3) uint8 for `size` = (height, width), scaled to fit and centred on black."""
    image = Image.fromarray(pixels)
    height, width = size
    scale = min(width / image.width, height / image.height)
    fitting = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new("RGB", (width, height))
    corner = (width - fitting[0]) // 2, (height - fitting[1]) // 2
    canvas.paste(image.resize(fitting, Image.Resampling.BILINEAR), corner)
    return np.array(canvas)


def region_input(pixels: np.ndarray, region: Region, size: Size, *, repeat_edge: bool) -> np.ndarray:
    """The picture in a region, (height, width, 3) uint8 for `size` = (height, width).

    Outside the picture it is black, or with `repeat_edge` what is at the edge, as MediaPipe has it.
    """
    height, width = size
    angle = math.radians(region.degrees)
    across, along = region.side / width, region.side / height
    a, b, c, d = (across * math.cos(angle), along * math.sin(angle), across * math.sin(angle), along * math.cos(angle))
    left, top = region.x - (width / 2 * a - height / 2 * b), region.y - (width / 2 * c + height / 2 * d)
    # Where each pixel of the crop lies in the picture, as Pillow wants it.
    onto = (a, -b, left, c, d, top)
    image = Image.fromarray(pixels).transform((width, height), Image.Transform.AFFINE, onto, Image.Resampling.BILINEAR)
    crop = np.array(image)
    if repeat_edge:
        _repeat_edge(crop, pixels, onto)
    return crop


def _repeat_edge(crop: np.ndarray, pixels: np.ndarray, onto: tuple[float, ...]) -> None:
    """Give the crop's pixels that lie outside the picture the colour of the nearest one inside."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] + 0.5
    a, b, c, d, e, f = onto
    x = np.floor(a * columns + b * rows + c).astype(int)
    y = np.floor(d * columns + e * rows + f).astype(int)
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    crop[outside] = pixels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)][outside]
