"""The kind `gesture`: bundles for MediaPipe's gesture recognizer, which hold a bundle for its hand landmarker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .detections import Detection, metres
from .gates import ONE_IN_EIGHT, extra, flipped, landmark_shift, lost, recognized_otherwise, score_shift
from .hand import HAND, THINGS, WRIST
from .kind import LandmarkKind, MediaPipeTask, MemberModel
from .model_inputs import Feature

LANDMARKER = "hand_landmarker.task/"
RECOGNIZER = "hand_gesture_recognizer.task/"
LEFT = "Left"

LEAST_SIZE = 1e-5
"""Added to the size that landmarks are divided by (`kEpsilon`)."""

STEPS = 1024
"""Features are rounded to this part of the hand, so that CPUs whose arithmetic differs make the same ones."""


def _nested(member: MemberModel) -> MemberModel:
    return replace(member, path=LANDMARKER + member.path)


def _features(result: Any, index: int, size: np.ndarray) -> tuple[np.ndarray, ...]:
    """What the embedder is given: the hand in the picture, how surely it is a left one, the hand in space."""
    across, down = size / size.max()
    landmarks = [(point.x * across, point.y * down, point.z) for point in result.hand_landmarks[index]]
    side = result.handedness[index][0]
    left = side.score if side.category_name == LEFT else 1.0 - side.score
    return _normalized(landmarks), np.array([left], np.float32), _normalized(metres(result.hand_world_landmarks[index]))


def _normalized(points: Any) -> np.ndarray:
    """Relative to the wrist, as large as one (`landmarks_to_matrix_calculator.cc`), rounded as regions are."""
    moved = np.array(points, np.float64)
    moved -= moved[WRIST]
    scaled = moved / (np.ptp(moved[:, :2], axis=0).max() + LEAST_SIZE)
    return (np.round(scaled * STEPS) / STEPS).astype(np.float32)


def _read(result: Any, size: np.ndarray) -> Iterator[Detection]:
    """Hands as the landmarker gives them, each with its gesture: MediaPipe tells the likeliest one and its score."""
    for index, hand in enumerate(HAND.task.read(result, size)):
        gestures = result.gestures[index]
        hand = replace(hand, features=_features(result, index, size))
        if gestures:
            scores = np.array([gestures[0].score])
            yield replace(hand, category=gestures[0].category_name, scores=scores, names=("gesture",))
        else:
            yield hand


GESTURE = LandmarkKind(
    name="gesture",
    things=THINGS,
    detector=_nested(HAND.detector),
    landmarks=_nested(HAND.landmarks),
    anatomy=HAND.anatomy,
    task=MediaPipeTask(
        name="GestureRecognizer",
        number=HAND.task.number,
        confidences=HAND.task.confidences,
        read=_read,
        verb="recognize",
    ),
    gates=(
        lost(THINGS, 0.02, ONE_IN_EIGHT),
        extra(THINGS),
        flipped(THINGS, 0.04, ONE_IN_EIGHT),
        landmark_shift("max_hand_px", 2.0),
        recognized_otherwise("gestures", 0.02, ONE_IN_EIGHT),
        score_shift("gesture", "max_gesture_score", 0.01),
    ),
    needed=(
        MemberModel(f"{RECOGNIZER}gesture_embedder.tflite", (Feature(0), Feature(1), Feature(2))),
        MemberModel(f"{RECOGNIZER}canned_gesture_classifier.tflite"),
    ),
    more=(MemberModel(f"{RECOGNIZER}custom_gesture_classifier.tflite"),),
    pictures=HAND.name,
    scores="gestures",
    has_sides=True,
    has_categories=True,
)
