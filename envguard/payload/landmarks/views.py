"""The images that a landmarker is measured on: pictures, tiles of them, and seeded changes of both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

TILE_GRIDS = (2, 3)
MIN_TILE_SIDE = 96
SEED = 20_261_121


@dataclass(frozen=True)
class Picture:
    """Pixels, (height, width, 3) RGB uint8, and the name that a report calls them by."""

    name: str
    pixels: np.ndarray


@dataclass(frozen=True)
class Change:
    """One way to make another image of a picture; the order is crop, scale, flip, rotate, gain."""

    name: str
    keep: float = 1.0
    scale: float = 1.0
    flip: bool = False
    degrees: float = 0.0
    gain: float = 1.0

    def apply(self, picture: Picture) -> Picture:
        """The changed picture: the same bytes for the same picture and version of Pillow."""
        image = _cropped(Image.fromarray(picture.pixels), self.keep)
        if self.scale != 1.0:
            image = scaled(image, self.scale)
        if self.flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.degrees:
            image = image.rotate(self.degrees, resample=Image.Resampling.BICUBIC)
        pixels = np.asarray(image)
        if self.gain != 1.0:
            pixels = np.clip(np.rint(pixels * self.gain), 0, 255).astype(np.uint8)
        name = f"{picture.name} ({self.name})" if self.name else picture.name
        return Picture(name, np.ascontiguousarray(pixels))


CHANGES = (
    Change(""),
    Change("mirrored", flip=True),
    Change("at 70 %", scale=0.7),
    Change("brighter", gain=1.35),
    Change("darker", gain=0.6),
    Change("turned by 8 degrees", degrees=8.0),
    Change("turned by -8 degrees", degrees=-8.0),
    Change("cropped to 90 %", keep=0.9),
    Change("mirrored, turned by 15 degrees", flip=True, degrees=15.0),
    Change("darker, turned by -15 degrees", gain=0.75, degrees=-15.0),
    Change("mirrored, cropped to 95 %, at 85 %", keep=0.95, scale=0.85, flip=True),
    Change("brighter, at 80 %", scale=0.8, gain=1.2),
)


def tiles(picture: Picture) -> Iterator[tuple[Picture, tuple[int, int]]]:
    """Square parts of the picture that overlap by half or more, large ones first, each with its left and top."""
    height, width = picture.pixels.shape[:2]
    for grid in TILE_GRIDS:
        side = max(height, width) // grid
        if side < MIN_TILE_SIDE:
            return
        for top in _starts(height, side):
            for left in _starts(width, side):
                part = np.ascontiguousarray(picture.pixels[top : top + side, left : left + side])
                yield Picture(f"{picture.name} (tile of {side} at {left}, {top})", part), (left, top)


def changed(pictures: Sequence[Picture], limit: int) -> Iterator[Picture]:
    """At most `limit` images: every picture as it is, then every picture with the first change, and so on."""
    return itertools.islice((change.apply(picture) for change in CHANGES for picture in pictures), limit)


def with_noise(picture: Picture, sigma: float) -> Picture:
    """The picture plus Gaussian noise of `sigma` grey levels, the same noise for the same size."""
    noise = np.random.default_rng(SEED).normal(0.0, sigma, picture.pixels.shape)
    pixels = np.clip(np.rint(picture.pixels + noise), 0, 255).astype(np.uint8)
    return Picture(f"{picture.name} (noise)", pixels)


def _cropped(image: Image.Image, keep: float) -> Image.Image:
    left, top = round(image.width * (1.0 - keep) / 2), round(image.height * (1.0 - keep) / 2)
    return image.crop((left, top, image.width - left, image.height - top))


def scaled(image: Image.Image, scale: float) -> Image.Image:
    """The picture made larger or smaller, but never less than a pixel."""
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, resample=Image.Resampling.LANCZOS)


def _starts(length: int, side: int) -> list[int]:
    """Evenly spaced starts of parts that overlap by half or more and reach both ends."""
    rest = max(length - side, 0)
    steps = math.ceil(2 * rest / side)
    return [round(rest * step / steps) for step in range(steps + 1)] if steps else [0]
