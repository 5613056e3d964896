"""The kind `hand`: bundles for MediaPipe's hand landmarker."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .detections import Detection, metres, positions
from .gates import ONE_IN_EIGHT, extra, flipped, landmark_shift, lost
from .kind import Anatomy, LandmarkKind, MediaPipeTask, MemberModel
from .model_inputs import Crops, whole_picture
from .regions import FRAMINGS, Region, between, box, risen, turn, upright

THINGS = "hands"

WRIST, INDEX_MCP, MIDDLE_MCP, RING_MCP = 0, 5, 9, 13

PALM = (0, 1, 2, 5, 9, 13, 17)
"""Landmarks in the box that the palm detector answers with: its side was 1.01 of theirs, in 64 readings."""

TRACKED = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks that a hand's region in the next frame of a video is around (`hand_landmarks_to_rect_calculator`)."""

EXTRA_TURN = math.degrees(90.0) % 360.0 - 90.0
"""By how many degrees MediaPipe turns a detected palm past upright: its `hand_detector_graph.cc` gives the target
angle, 90 degrees, to an option in radians. Regions of 0.10.21 show it; in a video the region is upright."""

PALM_SCALE, TRACKED_SCALE = 2.6, 2.0
"""By how much a region exceeds what it is around: `scale_x` and `scale_y` of RectTransformation in the graphs."""

PALM_RISE, TRACKED_RISE = 0.5, 0.1
"""How far a region is moved towards the fingers, in sides of what it is around (`shift_y`)."""


def region(landmarks: np.ndarray) -> Region:
    """Around the box of the palm, moved and turned towards the fingers, and turned on (`hand_detector_graph.cc`).

    MediaPipe computes it from a box that it keeps to itself; this is an estimate, half of them within 7 per cent of
    the side.
    """
    left, top, right, bottom = box(landmarks[list(PALM)])
    degrees = upright(landmarks[MIDDLE_MCP] - landmarks[WRIST]) + EXTRA_TURN
    side = max(right - left, bottom - top)
    x, y = risen((left + right) / 2, (top + bottom) / 2, PALM_RISE * side, degrees)
    return Region(x, y, PALM_SCALE * side, degrees)


def tracked_region(landmarks: np.ndarray) -> Region:
    """The region of the next frame: around the turned box of palm and lower fingers (`hand_landmarks_to_rect`)."""
    knuckles = ((landmarks[INDEX_MCP] + landmarks[RING_MCP]) / 2 + landmarks[MIDDLE_MCP]) / 2
    degrees = upright(knuckles - landmarks[WRIST])
    points = landmarks[list(TRACKED)]
    left, top, right, bottom = box(points)
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    left, top, right, bottom = box((points - centre) @ turn(-degrees).T)
    x, y = centre + turn(degrees) @ np.array([(left + right) / 2, (top + bottom) / 2])
    x, y = risen(float(x), float(y), TRACKED_RISE * (bottom - top), degrees)
    return Region(x, y, TRACKED_SCALE * max(right - left, bottom - top), degrees)


def framed(landmarks: np.ndarray) -> tuple[Region, ...]:
    """A detected hand in two framings, and a tracked one."""
    detected = region(landmarks)
    return (
        detected.framed(FRAMINGS[0]),
        detected.framed(FRAMINGS[1]),
        tracked_region(landmarks).framed(FRAMINGS[0]),
    )


def palm(landmarks: np.ndarray) -> float:
    """The palm's length in pixels."""
    return between(landmarks[WRIST], landmarks[MIDDLE_MCP])


def _read(result: Any, size: np.ndarray) -> Iterator[Detection]:
    for index, landmarks in enumerate(result.hand_landmarks):
        side = result.handedness[index][0].category_name
        yield Detection(positions(landmarks, size), world=metres(result.hand_world_landmarks[index]), side=side)


HAND = LandmarkKind(
    name="hand",
    things=THINGS,
    detector=MemberModel("hand_detector.tflite", (whole_picture,)),
    landmarks=MemberModel("hand_landmarks_detector.tflite", (Crops(framed),)),
    anatomy=Anatomy(region, framed, "palm", palm),
    task=MediaPipeTask(
        name="HandLandmarker",
        number="num_hands",
        confidences=("min_hand_detection_confidence", "min_hand_presence_confidence"),
        read=_read,
    ),
    gates=(
        lost(THINGS, 0.02, ONE_IN_EIGHT),
        extra(THINGS),
        flipped(THINGS, 0.04, ONE_IN_EIGHT),
        landmark_shift("max_hand_px", 2.0),
    ),
    has_sides=True,
)
