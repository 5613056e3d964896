"""The kind `pose`: bundles for MediaPipe's pose landmarker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .detections import Detection, metres, positions
from .gates import ONE_IN_EIGHT, extra, landmark_shift, lost, score_shift
from .kind import Anatomy, LandmarkKind, MediaPipeTask, MemberModel
from .model_inputs import Crops, whole_picture
from .regions import Region, between, middle, upright

THINGS = "poses"

SHOULDERS, HIPS = (11, 12), (23, 24)

REACH = 1.09
"""Radius of MediaPipe's circle around a body, in distances of the farthest landmark from the hips (134 readings)."""

SCALE = 1.25
"""By how much a region exceeds what it is around: `scale_x` and `scale_y` of RectTransformation in the graph."""


def region(landmarks: np.ndarray) -> Region:
    """Around the hips, as large as the whole body needs, the torso upright (`pose_landmarks_detector_graph.cc`).

    MediaPipe computes it from a box that it keeps to itself; this is an estimate, half of them within 7 per cent of
    the side.
    """
    hips = middle(landmarks, HIPS)
    radius = REACH * float(np.linalg.norm(landmarks - hips, axis=1).max())
    degrees = upright(middle(landmarks, SHOULDERS) - hips)
    return Region(float(hips[0]), float(hips[1]), 2 * SCALE * radius, degrees)


def framed(landmarks: np.ndarray) -> tuple[Region, ...]:
    """The region in every framing."""
    return region(landmarks).every_framing()


def torso(landmarks: np.ndarray) -> float:
    """The torso's length in pixels."""
    return between(middle(landmarks, SHOULDERS), middle(landmarks, HIPS))


def _read(result: Any, size: np.ndarray) -> Iterator[Detection]:
    for index, landmarks in enumerate(result.pose_landmarks):
        visibility = np.array([point.visibility for point in landmarks])
        yield Detection(positions(landmarks, size), visibility, metres(result.pose_world_landmarks[index]))


POSE = LandmarkKind(
    name="pose",
    things=THINGS,
    detector=MemberModel("pose_detector.tflite", (whole_picture,)),
    landmarks=MemberModel("pose_landmarks_detector.tflite", (Crops(framed),)),
    anatomy=Anatomy(region, framed, "torso", torso),
    task=MediaPipeTask(
        name="PoseLandmarker",
        number="num_poses",
        confidences=("min_pose_detection_confidence", "min_pose_presence_confidence"),
        read=_read,
    ),
    gates=(
        lost(THINGS, 0.02, ONE_IN_EIGHT),
        extra(THINGS),
        landmark_shift("max_pose_px", 3.0),
        # On other roads eight images are tried, and noise of one grey level makes up to .022 there.
        score_shift("visibility", "max_visibility", 0.025, elsewhere=0.04),
    ),
    scores="visibility",
)
