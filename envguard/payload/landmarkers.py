"""MediaPipe's landmarkers as a user of its Tasks API runs them: on the CPU, in IMAGE mode, closed when done with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from .bundle import BUNDLE_SUFFIX, Bundle
from .faces import Face

MOST_FACES = MOST_HANDS = MOST_POSES = 8
BLENDSHAPES = "face_blendshapes"
VERSION = str(mediapipe.__version__)


class Kind(Enum):
    """The landmarker that takes a bundle, as its members tell."""

    FACE = "face"
    HAND = "hand"
    POSE = "pose"
    OTHER = "other"


MEMBERS = {
    Kind.FACE: {"face_detector", "face_landmarks_detector"},
    Kind.HAND: {"hand_detector", "hand_landmarks_detector"},
    Kind.POSE: {"pose_detector", "pose_landmarks_detector"},
}


class Rejected(Exception):
    """MediaPipe did not take a bundle; the text is its own message."""


@dataclass(frozen=True)
class Reading:
    """The faces that one call found, and how many seconds it took."""

    faces: tuple[Face, ...]
    seconds: float


FaceReader = Callable[[np.ndarray], Reading]


def kind_of(bundle: Bundle) -> Kind:
    """Which landmarker the bundle is for; a bare model is for none."""
    if bundle.suffix != BUNDLE_SUFFIX:
        return Kind.OTHER
    names = {model.name for model in bundle.models()}
    return next((kind for kind, members in MEMBERS.items() if members <= names), Kind.OTHER)


def has_blendshapes(bundle: Bundle) -> bool:
    """Whether the bundle has the model that turns landmarks into blendshapes.

    Without it the output must stay off: `BLENDSHAPES Tag and blendshapes model must be both set`.
    """
    return any(model.name == BLENDSHAPES for model in bundle.models())


@contextmanager
def face_reader(bundle: Path, *, blendshapes: bool) -> Iterator[FaceReader]:
    """A function from RGB pixels to the faces in them; `Rejected` if MediaPipe does not take the bundle."""
    options = vision.FaceLandmarkerOptions(
        base_options=_base_options(bundle), output_face_blendshapes=blendshapes, num_faces=MOST_FACES
    )
    with _opened(vision.FaceLandmarker, options) as landmarker:

        def read(pixels: np.ndarray) -> Reading:
            image = _image(pixels)
            start = time.perf_counter()
            found = _detect(landmarker, image)
            seconds = time.perf_counter() - start
            return Reading(_faces(found, width=pixels.shape[1], height=pixels.shape[0]), seconds)

        yield read


def count_hands(bundle: Path, images: Iterable[np.ndarray]) -> int:
    """How many hands MediaPipe finds with the bundle; `Rejected` if it does not take it."""
    options = vision.HandLandmarkerOptions(base_options=_base_options(bundle), num_hands=MOST_HANDS)
    with _opened(vision.HandLandmarker, options) as landmarker:
        return sum(len(_detect(landmarker, _image(pixels)).hand_landmarks) for pixels in images)


def count_poses(bundle: Path, images: Iterable[np.ndarray]) -> int:
    """How many people's poses MediaPipe finds with the bundle; `Rejected` if it does not take it."""
    options = vision.PoseLandmarkerOptions(base_options=_base_options(bundle), num_poses=MOST_POSES)
    with _opened(vision.PoseLandmarker, options) as landmarker:
        return sum(len(_detect(landmarker, _image(pixels)).pose_landmarks) for pixels in images)


def _base_options(bundle: Path) -> Any:
    return BaseOptions(model_asset_path=str(bundle.resolve()), delegate=BaseOptions.Delegate.CPU)


@contextmanager
def _opened(task: Any, options: Any) -> Iterator[Any]:
    try:
        landmarker = task.create_from_options(options)
    except (RuntimeError, ValueError, OSError, NotImplementedError) as cause:
        raise _rejection(cause) from cause
    # Left to the garbage collector, MediaPipe closes it when the interpreter is half gone and prints a traceback.
    with landmarker:
        yield landmarker


def _detect(landmarker: Any, image: Any) -> Any:
    try:
        return landmarker.detect(image)
    except (RuntimeError, ValueError, NotImplementedError) as cause:
        raise _rejection(cause) from cause


def _rejection(cause: Exception) -> Rejected:
    # MediaPipe appends the C++ source locations that the status passed through.
    return Rejected(str(cause).split("=== Source Location Trace", 1)[0].strip() or type(cause).__name__)


def _image(pixels: np.ndarray) -> Any:
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


def _faces(found: Any, *, width: int, height: int) -> tuple[Face, ...]:
    """MediaPipe's normalised landmarks in pixels; its list of blendshapes is empty if that output is off."""
    size = np.array([width, height], dtype=np.float64)
    positions = [[(point.x, point.y) for point in face] for face in found.face_landmarks]
    scores = [np.array([shape.score for shape in face]) for face in found.face_blendshapes or ()]
    return tuple(
        Face(np.array(points, dtype=np.float64) * size, scores[index] if scores else None)
        for index, points in enumerate(positions)
    )
