"""The kind `face`: bundles for MediaPipe's face landmarker, with or without blendshapes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .detections import Detection, positions
from .gates import extra, landmark_shift, lost, score_shift
from .kind import Anatomy, LandmarkKind, MediaPipeTask, MemberModel
from .model_inputs import Crops, Seen, whole_picture
from .regions import Region, between, box

THINGS = "faces"
BLENDSHAPES = "face_blendshapes.tflite"

OUTER_EYE_CORNERS = (33, 263)
"""Their indices in the face mesh; the distance that 300-W and others normalise landmark errors by."""

SCALE = 1.5
"""By how much a region exceeds what it is around: `scale_x` and `scale_y` of RectTransformation in the graph."""

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


def region(landmarks: np.ndarray) -> Region:
    """Around the box of all landmarks, turned until the eyes are level (`face_landmarks_detector_graph.cc`)."""
    left, top, right, bottom = box(landmarks)
    eye_right, eye_left = landmarks[list(OUTER_EYE_CORNERS)]
    along_x, along_y = eye_left - eye_right
    side = SCALE * max(right - left, bottom - top)
    return Region((left + right) / 2, (top + bottom) / 2, side, math.degrees(math.atan2(along_y, along_x)))


def framed(landmarks: np.ndarray) -> tuple[Region, ...]:
    """The region in every framing."""
    return region(landmarks).every_framing()


def inter_ocular(landmarks: np.ndarray) -> float:
    """The distance between the eyes in pixels."""
    return between(*landmarks[list(OUTER_EYE_CORNERS)])


def blendshape_points(landmarks: np.ndarray) -> np.ndarray:
    """The landmarks that the blendshape model reads, (146, 2) float32, in pixels of the picture."""
    points = landmarks[list(BLENDSHAPE_LANDMARKS)]
    return (np.round(points * POINT_STEPS) / POINT_STEPS).astype(np.float32)


def _blendshape_inputs(seen: Seen) -> list[np.ndarray]:
    return [blendshape_points(landmarks) for landmarks in seen.found]


def _read(result: Any, size: np.ndarray) -> Iterator[Detection]:
    """The list of blendshapes is empty if that output is off."""
    shapes = result.face_blendshapes or ()
    for index, landmarks in enumerate(result.face_landmarks):
        scores = np.array([shape.score for shape in shapes[index]]) if shapes else None
        names = tuple(str(shape.category_name) for shape in shapes[index]) if shapes else ()
        yield Detection(positions(landmarks, size), scores, names=names)


FACE = LandmarkKind(
    name="face",
    things=THINGS,
    detector=MemberModel("face_detector.tflite", (whole_picture,)),
    # Faces seldom reach outside their picture; black there is what their results were measured with.
    landmarks=MemberModel("face_landmarks_detector.tflite", (Crops(framed, repeat_edge=False),)),
    more=(MemberModel(BLENDSHAPES, (_blendshape_inputs,)),),
    anatomy=Anatomy(region, framed, "inter_ocular", inter_ocular),
    task=MediaPipeTask(
        name="FaceLandmarker",
        number="num_faces",
        confidences=("min_face_detection_confidence", "min_face_presence_confidence"),
        read=_read,
        # Without the model: `BLENDSHAPES Tag and blendshapes model must be both set`.
        switches={"output_face_blendshapes": BLENDSHAPES},
    ),
    gates=(
        lost(THINGS, 0.005),
        extra(THINGS),
        # A GPU multiplies int8 weights out as it loads them, so that nothing but their own rounding is left.
        landmark_shift("max_landmark_px", 0.4, elsewhere=0.3),
        score_shift("blendshape", "max_blendshape", 0.008),
    ),
    scores="blendshapes",
    often_alone=True,
)
