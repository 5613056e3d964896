"""What MediaPipe's graphs give to the models of a bundle: the picture, a crop along what was found, landmarks."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .anatomy import Region

POINT_STEPS = 8
"""Landmarks are rounded to this part of a pixel, so that CPUs whose arithmetic differs make the same inputs."""

# fmt: off
BLENDSHAPE_LANDMARKS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314,
    317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384,
    385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475,
    476, 477,
)
# fmt: on
"""Which of the 478 landmarks the blendshape model is given (`face_blendshapes_graph.cc`: kLandmarksSubsetIdxs)."""


def whole_input(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The whole picture, (height, width, 3) uint8 for `size` = (height, width), scaled to fit and centred on black."""
    image = Image.fromarray(pixels)
    height, width = size
    scale = min(width / image.width, height / image.height)
    fitting = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new("RGB", (width, height))
    corner = (width - fitting[0]) // 2, (height - fitting[1]) // 2
    canvas.paste(image.resize(fitting, Image.Resampling.BILINEAR), corner)
    return np.array(canvas)


def region_input(pixels: np.ndarray, region: Region, size: tuple[int, int], *, repeat_edge: bool) -> np.ndarray:
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


def blendshapes_input(landmarks: np.ndarray) -> np.ndarray:
    """The landmarks that the blendshape model reads, (146, 2) float32, in pixels of the picture."""
    points = landmarks[list(BLENDSHAPE_LANDMARKS)]
    return (np.round(points * POINT_STEPS) / POINT_STEPS).astype(np.float32)


def _repeat_edge(crop: np.ndarray, pixels: np.ndarray, onto: tuple[float, ...]) -> None:
    """Give the crop's pixels that lie outside the picture the colour of the nearest one inside."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] + 0.5
    a, b, c, d, e, f = onto
    x = np.floor(a * columns + b * rows + c).astype(int)
    y = np.floor(d * columns + e * rows + f).astype(int)
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    crop[outside] = pixels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)][outside]
