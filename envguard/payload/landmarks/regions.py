"""Square regions of a picture that a landmark model is shown, and the geometry that they are computed with.

Regions are rounded to whole pixels and degrees, so that CPUs whose arithmetic differs in the last bits crop the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Framing:
    """Where a region of interest lies and how large it is, relative to the landmarks' own; shifts in its sides."""

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0


FRAMINGS = (Framing(), Framing(1.12, 0.03, -0.04), Framing(0.9, -0.04, 0.02))
"""The detector's boxes are not those of the landmarks, and in a video the region is the previous frame's."""


@dataclass(frozen=True)
class Region:
    """A square of a picture: centre and side in pixels, and by how many degrees it is turned clockwise."""

    x: float
    y: float
    side: float
    degrees: float

    def framed(self, framing: Framing) -> Region:
        """The same region seen a little differently, in whole pixels and degrees."""
        side = max(round(framing.scale * self.side), 1)
        x, y = round(self.x + framing.right * side), round(self.y + framing.down * side)
        return Region(x, y, side, round(self.degrees))

    def every_framing(self) -> tuple[Region, ...]:
        """The region as it is, and seen a little differently."""
        return tuple(self.framed(framing) for framing in FRAMINGS)


def box(points: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of (N, 2) points."""
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def middle(points: np.ndarray, indices: Sequence[int]) -> np.ndarray:
    """The mean of some of the points."""
    mean: np.ndarray = points[list(indices)].mean(axis=0)
    return mean


def between(one: np.ndarray, other: np.ndarray) -> float:
    """The distance of two points."""
    return float(np.linalg.norm(one - other))


def upright(along: np.ndarray) -> float:
    """By how many degrees a picture in which `along` points upwards is turned against this one."""
    x, y = along
    return 90.0 - math.degrees(math.atan2(-y, x))


def turn(degrees: float) -> np.ndarray:
    """The matrix that turns a point clockwise, as a picture shows it."""
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def risen(x: float, y: float, by: float, degrees: float) -> tuple[float, float]:
    """The point moved by so many pixels towards the top of a region that is turned."""
    angle = math.radians(degrees)
    return x + by * math.sin(angle), y - by * math.cos(angle)
