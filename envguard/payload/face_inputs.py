"""What MediaPipe's graphs give to each model of a face bundle: the picture, a crop along the face, landmarks.

Regions are rounded to whole pixels, degrees and eighths of a pixel, so that CPUs whose arithmetic differs in the last
bits make the same inputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .faces import CROP_SIDE, OUTER_EYE_CORNERS, Face

DETECTOR_SIDE = 128
"""Side in pixels of what the short-range face detector sees."""

POINT_STEPS = 8
"""Landmarks are rounded to this part of a pixel."""

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


@dataclass(frozen=True)
class Framing:
    """Where a region of interest lies and how large it is, relative to the landmarks' own; shifts in its sides."""

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0


FRAMINGS = (Framing(), Framing(1.12, 0.03, -0.04), Framing(0.9, -0.04, 0.02))
"""The detector's boxes are not those of the landmarks, and in a video the region is the previous frame's."""


def landmarks_input(pixels: np.ndarray, face: Face, framing: Framing) -> np.ndarray:
    """The face's region of interest, (256, 256, 3) uint8: square, 1.5 times its box, turned so that the eyes level."""
    left, top, right, bottom = face.box()
    side = max(round(framing.scale * face.roi_side()), 1)
    x, y = round((left + right) / 2 + framing.right * side), round((top + bottom) / 2 + framing.down * side)
    eye_right, eye_left = (face.landmarks[index] for index in OUTER_EYE_CORNERS)
    angle = math.radians(round(math.degrees(math.atan2(*(eye_left - eye_right)[::-1]))))
    step = side / CROP_SIDE
    cosine, sine = step * math.cos(angle), step * math.sin(angle)
    middle = CROP_SIDE / 2
    # Where each pixel of the crop lies in the picture, as Pillow wants it.
    onto = (cosine, -sine, x - middle * (cosine - sine), sine, cosine, y - middle * (sine + cosine))
    size = (CROP_SIDE, CROP_SIDE)
    return np.array(Image.fromarray(pixels).transform(size, Image.Transform.AFFINE, onto, Image.Resampling.BILINEAR))


def blendshapes_input(face: Face) -> np.ndarray:
    """The landmarks that the blendshape model reads, (146, 2) float32, in pixels of the picture."""
    points = face.landmarks[list(BLENDSHAPE_LANDMARKS)]
    return (np.round(points * POINT_STEPS) / POINT_STEPS).astype(np.float32)
