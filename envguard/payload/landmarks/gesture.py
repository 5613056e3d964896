"""The kind `gesture`: bundles for MediaPipe's gesture recognizer, which hold a bundle for its hand landmarker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from mediapipe.tasks.python import vision

from .detections import Detection
from .gates import extra, flipped, landmark_shift, lost, recognized_otherwise, score_shift
from .hand import HAND, THINGS
from .kind import LandmarkKind, MediaPipeTask, MemberModel

LANDMARKER = "hand_landmarker.task/"
RECOGNIZER = "hand_gesture_recognizer.task/"


def _nested(member: MemberModel) -> MemberModel:
    return replace(member, path=LANDMARKER + member.path)


def _read(result: Any, size: np.ndarray) -> Iterator[Detection]:
    """Hands as the landmarker gives them, each with its gesture: MediaPipe tells the likeliest one and its score."""
    for index, hand in enumerate(HAND.task.read(result, size)):
        gestures = result.gestures[index]
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
        landmarker=vision.GestureRecognizer,
        options=vision.GestureRecognizerOptions,
        number=HAND.task.number,
        confidences=HAND.task.confidences,
        read=_read,
        verb="recognize",
    ),
    gates=(
        lost(THINGS, 0.02),
        extra(THINGS),
        flipped(THINGS, 0.04),
        landmark_shift("max_hand_px", 2.0),
        recognized_otherwise("gestures", 0.02),
        score_shift("gesture", "max_gesture_score", 0.03),
    ),
    needed=(
        MemberModel(f"{RECOGNIZER}gesture_embedder.tflite"),
        MemberModel(f"{RECOGNIZER}canned_gesture_classifier.tflite"),
    ),
    more=(MemberModel(f"{RECOGNIZER}custom_gesture_classifier.tflite"),),
    pictures=HAND.name,
    scores="gesture scores",
    has_sides=True,
    has_categories=True,
)
