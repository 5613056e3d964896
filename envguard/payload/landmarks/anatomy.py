"""Where MediaPipe looks at a face, a hand or a body, and the length that errors in its landmarks are relative to.

Regions are rounded to whole pixels and degrees, so that CPUs whose arithmetic differs in the last bits crop the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .kinds import Kind

OUTER_EYE_CORNERS = (33, 263)
"""Their indices in the face mesh; the distance that 300-W and others normalise landmark errors by."""

WRIST, INDEX_MCP, MIDDLE_MCP, RING_MCP = 0, 5, 9, 13
SHOULDERS, HIPS = (11, 12), (23, 24)

PALM = (0, 1, 2, 5, 9, 13, 17)
"""Landmarks of a hand in the box that the palm detector answers with: its side was 1.01 of theirs, in 64 readings."""

TRACKED = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks of a hand that its region in the next frame of a video is around (`hand_landmarks_to_rect_calculator`)."""

EXTRA_TURN = math.degrees(90.0) % 360.0 - 90.0
"""By how many degrees MediaPipe turns a detected palm past upright: its `hand_detector_graph.cc` gives the target
angle, 90 degrees, to an option in radians. Regions of 0.10.21 show it; in a video the region is upright."""

BODY_REACH = 1.09
"""Radius of MediaPipe's circle around a body, in distances of the farthest landmark from the hips (134 readings)."""

FACE_SCALE, PALM_SCALE, TRACKED_SCALE, BODY_SCALE = 1.5, 2.6, 2.0, 1.25
"""By how much a region exceeds what it is around: `scale_x` and `scale_y` of RectTransformation in the graphs."""

PALM_RISE, TRACKED_RISE = 0.5, 0.1
"""How far a hand's region is moved towards the fingers, in sides of what it is around (`shift_y`)."""


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


def box(points: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of (N, 2) points."""
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def region_of(kind: Kind, landmarks: np.ndarray) -> Region:
    """The region that MediaPipe crops in IMAGE mode for the detection that `landmarks`, (N, 2) pixels, came from.

    Of a face it is what the graph itself computes from landmarks. For hands and bodies it computes it from boxes that
    it keeps to itself; these are estimated, half of them within 7 per cent of the side.
    """
    return _REGIONS[kind](landmarks)


def framed_regions(kind: Kind, landmarks: np.ndarray) -> tuple[Region, ...]:
    """Three regions in which a landmark model may be shown the same thing, the likeliest in IMAGE mode first."""
    region = region_of(kind, landmarks)
    if kind is Kind.HAND:
        return region.framed(FRAMINGS[0]), region.framed(FRAMINGS[1]), _tracked_hand(landmarks).framed(FRAMINGS[0])
    return tuple(region.framed(framing) for framing in FRAMINGS)


@dataclass(frozen=True)
class BodyMeasure:
    """A length of what a landmarker finds: its name in results, what it is in words, and its pixels."""

    name: str
    words: str
    of: Callable[[np.ndarray], float]


def _middle(landmarks: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    middle: np.ndarray = landmarks[list(pair)].mean(axis=0)
    return middle


def _between(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one - other))


MEASURES: Mapping[Kind, BodyMeasure] = {
    Kind.FACE: BodyMeasure(
        "inter_ocular", "the distance between the eyes", lambda points: _between(*points[list(OUTER_EYE_CORNERS)])
    ),
    Kind.HAND: BodyMeasure("palm", "the palm's length", lambda points: _between(points[WRIST], points[MIDDLE_MCP])),
    Kind.POSE: BodyMeasure(
        "torso", "the torso's length", lambda points: _between(_middle(points, SHOULDERS), _middle(points, HIPS))
    ),
}


def _face(landmarks: np.ndarray) -> Region:
    """Around the box of all landmarks, turned until the eyes are level (`face_landmarks_detector_graph.cc`)."""
    left, top, right, bottom = box(landmarks)
    eye_right, eye_left = landmarks[list(OUTER_EYE_CORNERS)]
    along_x, along_y = eye_left - eye_right
    side = FACE_SCALE * max(right - left, bottom - top)
    return Region((left + right) / 2, (top + bottom) / 2, side, math.degrees(math.atan2(along_y, along_x)))


def _hand(landmarks: np.ndarray) -> Region:
    """Around the box of the palm, moved and turned towards the fingers, and turned on (`hand_detector_graph.cc`)."""
    left, top, right, bottom = box(landmarks[list(PALM)])
    degrees = _upright(landmarks[MIDDLE_MCP] - landmarks[WRIST]) + EXTRA_TURN
    side = max(right - left, bottom - top)
    x, y = _risen((left + right) / 2, (top + bottom) / 2, PALM_RISE * side, degrees)
    return Region(x, y, PALM_SCALE * side, degrees)


def _tracked_hand(landmarks: np.ndarray) -> Region:
    """The region of the next frame: around the turned box of palm and lower fingers (`hand_landmarks_to_rect`)."""
    knuckles = ((landmarks[INDEX_MCP] + landmarks[RING_MCP]) / 2 + landmarks[MIDDLE_MCP]) / 2
    degrees = _upright(knuckles - landmarks[WRIST])
    points = landmarks[list(TRACKED)]
    left, top, right, bottom = box(points)
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    left, top, right, bottom = box((points - middle) @ _turn(-degrees).T)
    x, y = middle + _turn(degrees) @ np.array([(left + right) / 2, (top + bottom) / 2])
    x, y = _risen(float(x), float(y), TRACKED_RISE * (bottom - top), degrees)
    return Region(x, y, TRACKED_SCALE * max(right - left, bottom - top), degrees)


def _body(landmarks: np.ndarray) -> Region:
    """Around the hips, as large as the whole body needs, the torso upright (`pose_landmarks_detector_graph.cc`)."""
    hips = _middle(landmarks, HIPS)
    radius = BODY_REACH * float(np.linalg.norm(landmarks - hips, axis=1).max())
    degrees = _upright(_middle(landmarks, SHOULDERS) - hips)
    return Region(float(hips[0]), float(hips[1]), 2 * BODY_SCALE * radius, degrees)


_REGIONS = {Kind.FACE: _face, Kind.HAND: _hand, Kind.POSE: _body}


def _upright(along: np.ndarray) -> float:
    """By how many degrees a picture in which `along` points upwards is turned against this one."""
    x, y = along
    return 90.0 - math.degrees(math.atan2(-y, x))


def _turn(degrees: float) -> np.ndarray:
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _risen(x: float, y: float, by: float, degrees: float) -> tuple[float, float]:
    """The point moved by so many pixels towards the top of a region that is turned."""
    angle = math.radians(degrees)
    return x + by * math.sin(angle), y - by * math.cos(angle)
