"""MediaPipe's landmarkers as a user of its Tasks API runs them: on the CPU, in IMAGE mode, closed when done with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from .detections import Detection
from .kinds import Kind

MOST = 8
"""How many faces, hands or bodies are looked for in one picture."""

VERSION = str(mediapipe.__version__)


class Rejected(Exception):
    """MediaPipe did not take a bundle; the text is its own message."""


@dataclass(frozen=True)
class Reading:
    """What one call found, and how many seconds it took."""

    found: tuple[Detection, ...]
    seconds: float


Reader = Callable[[np.ndarray], Reading]


@contextmanager
def reader(kind: Kind, bundle: Path, *, blendshapes: bool = False) -> Iterator[Reader]:
    """A function from RGB pixels to what the landmarker of that kind finds in them.

    `blendshapes` turns on that output of a face landmarker. `Rejected` if MediaPipe does not take the bundle.
    """
    task, options, detections = LANDMARKERS[kind]
    with opened(task, options(base_options(bundle), blendshapes)) as landmarker:

        def read(pixels: np.ndarray) -> Reading:
            image = as_image(pixels)
            start = time.perf_counter()
            result = _detect(landmarker, image)
            seconds = time.perf_counter() - start
            size = np.array([pixels.shape[1], pixels.shape[0]], dtype=np.float64)
            return Reading(tuple(detections(result, size)), seconds)

        yield read


def base_options(bundle: Path) -> Any:
    """MediaPipe's options for any task: that bundle, on the CPU."""
    return BaseOptions(model_asset_path=str(bundle.resolve()), delegate=BaseOptions.Delegate.CPU)


@contextmanager
def opened(task: Any, options: Any) -> Iterator[Any]:
    """A landmarker of MediaPipe's class `task`, closed at the end; `Rejected` if it does not take its bundle."""
    try:
        landmarker = task.create_from_options(options)
    except (RuntimeError, ValueError, OSError, NotImplementedError) as cause:
        raise rejection(cause) from cause
    # Left to the garbage collector, MediaPipe closes it when the interpreter is half gone and prints a traceback.
    try:
        yield landmarker
    finally:
        _close(landmarker)


def _close(landmarker: Any) -> None:
    """Close it; one that failed says so again."""
    try:
        landmarker.close()
    except RuntimeError as cause:
        # MediaPipe 1.2 would try again when it is collected, on whatever thread that is, and wait there for ever.
        landmarker._handle = None
        raise rejection(cause) from cause


def _detect(landmarker: Any, image: Any) -> Any:
    try:
        return landmarker.detect(image)
    except (RuntimeError, ValueError, NotImplementedError) as cause:
        raise rejection(cause) from cause


def rejection(cause: Exception) -> Rejected:
    """MediaPipe's own message."""
    # MediaPipe appends the C++ source locations that the status passed through.
    return Rejected(str(cause).split("=== Source Location Trace", 1)[0].strip() or type(cause).__name__)


def as_image(pixels: np.ndarray) -> Any:
    """RGB pixels as MediaPipe takes them."""
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


def _positions(landmarks: Any, size: np.ndarray) -> np.ndarray:
    """MediaPipe's normalised landmarks in pixels."""
    positions: np.ndarray = np.array([(point.x, point.y) for point in landmarks], dtype=np.float64) * size
    return positions


def _metres(landmarks: Any) -> np.ndarray:
    return np.array([(point.x, point.y, point.z) for point in landmarks], dtype=np.float64)


def _faces(result: Any, size: np.ndarray) -> Iterator[Detection]:
    """The list of blendshapes is empty if that output is off."""
    shapes = result.face_blendshapes or ()
    for index, landmarks in enumerate(result.face_landmarks):
        scores = np.array([shape.score for shape in shapes[index]]) if shapes else None
        names = tuple(str(shape.category_name) for shape in shapes[index]) if shapes else ()
        yield Detection(_positions(landmarks, size), scores, names=names)


def _hands(result: Any, size: np.ndarray) -> Iterator[Detection]:
    for index, landmarks in enumerate(result.hand_landmarks):
        side = result.handedness[index][0].category_name
        yield Detection(_positions(landmarks, size), world=_metres(result.hand_world_landmarks[index]), side=side)


def _poses(result: Any, size: np.ndarray) -> Iterator[Detection]:
    for index, landmarks in enumerate(result.pose_landmarks):
        visibility = np.array([point.visibility for point in landmarks])
        yield Detection(_positions(landmarks, size), visibility, _metres(result.pose_world_landmarks[index]))


LANDMARKERS: dict[Kind, tuple[Any, Callable[[Any, bool], Any], Callable[[Any, np.ndarray], Iterator[Detection]]]] = {
    Kind.FACE: (
        vision.FaceLandmarker,
        lambda base, blendshapes: vision.FaceLandmarkerOptions(
            base_options=base, output_face_blendshapes=blendshapes, num_faces=MOST
        ),
        _faces,
    ),
    Kind.HAND: (
        vision.HandLandmarker,
        lambda base, _: vision.HandLandmarkerOptions(base_options=base, num_hands=MOST),
        _hands,
    ),
    Kind.POSE: (
        vision.PoseLandmarker,
        lambda base, _: vision.PoseLandmarkerOptions(base_options=base, num_poses=MOST),
        _poses,
    ),
}
