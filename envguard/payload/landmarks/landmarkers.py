"""MediaPipe's landmarkers as a user of its Tasks API runs them: in IMAGE mode, closed when done with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from .detections import MOST, Reader, Reading, Rejected
from .kind import LandmarkKind, MediaPipeTask

VERSION = str(mediapipe.__version__)


@contextmanager
def reader(kind: LandmarkKind, bundle: Path, switches: Sequence[str] = (), *, gpu: bool = False) -> Iterator[Reader]:
    """A function from RGB pixels to what the landmarker of that kind finds in them, on the CPU or on the GPU.

    `switches` are options that turn an output on. `Rejected` if MediaPipe does not take the bundle.
    """
    task = kind.task
    given = {task.number: MOST, **dict.fromkeys(switches, True)}
    options = options_class(task)(base_options=base_options(bundle, gpu=gpu), **given)
    with opened(landmarker_class(task), options) as landmarker:

        def read(pixels: np.ndarray) -> Reading:
            image = as_image(pixels, alpha=gpu)
            start = time.perf_counter()
            result = _found(task.methods(landmarker).still, image)
            seconds = time.perf_counter() - start
            size = np.array([pixels.shape[1], pixels.shape[0]], dtype=np.float64)
            return Reading(tuple(task.read(result, size)), seconds)

        yield read


def landmarker_class(task: MediaPipeTask) -> Any:
    """The class of that name."""
    return getattr(vision, task.name)


def options_class(task: MediaPipeTask) -> Any:
    """The class of its options."""
    return getattr(vision, f"{task.name}Options")


def base_options(bundle: Path, *, gpu: bool = False) -> Any:
    """MediaPipe's options for any task: that bundle, on the CPU or on the GPU."""
    delegate = BaseOptions.Delegate.GPU if gpu else BaseOptions.Delegate.CPU
    return BaseOptions(model_asset_path=str(bundle.resolve()), delegate=delegate)


@contextmanager
def opened(made_by: Any, options: Any) -> Iterator[Any]:
    """A landmarker of that class of MediaPipe's, closed at the end; `Rejected` if it does not take its bundle."""
    try:
        landmarker = made_by.create_from_options(options)
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


def _found(still: Callable[[Any], Any], image: Any) -> Any:
    try:
        return still(image)
    except (RuntimeError, ValueError, NotImplementedError) as cause:
        raise rejection(cause) from cause


def rejection(cause: Exception) -> Rejected:
    """MediaPipe's own message."""
    # MediaPipe appends the C++ source locations that the status passed through.
    return Rejected(str(cause).split("=== Source Location Trace", 1)[0].strip() or type(cause).__name__)


def as_image(pixels: np.ndarray, *, alpha: bool = False) -> Any:
    """RGB pixels as MediaPipe takes them; a GPU has no format without `alpha`."""
    if alpha:
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        data = np.ascontiguousarray(np.concatenate([pixels, opaque], axis=2))
        return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGBA, data=data)
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))
