"""Landmarkers under any of MediaPipe's runtime options, on pictures that move as before a camera."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from ..contract import Setting
from .detections import Detection, Rejected
from .kind import LandmarkKind, Methods
from .landmarkers import as_image, base_options, landmarker_class, opened, options_class, rejection
from .views import Picture

Settings = Mapping[str, Setting]
"""Options by their names in MediaPipe's Python API, the running mode as text; MediaPipe's defaults for the rest."""

MODE = "running_mode"
IMAGE, VIDEO, LIVE_STREAM = "IMAGE", "VIDEO", "LIVE_STREAM"

FRAMES = 8
"""How many frames a picture is shown in."""

KEEP = 0.94
"""Part of a picture's sides that a frame shows: from the first frame to the last it moves by the rest."""

FRAME_MS = 33
"""Between the time stamps of two frames, as of a camera with 30 frames a second."""

ANSWER_SECONDS = 30.0
"""A live stream that has not answered by then never will."""


@dataclass(frozen=True)
class Frame:
    """One frame as MediaPipe takes it, and its width and height in pixels."""

    image: Any
    size: np.ndarray


@dataclass(frozen=True)
class Landmarker:
    """An open landmarker: `detect` is MediaPipe's call, with nothing of ours that would count as its time.

    In VIDEO and LIVE_STREAM mode each call is the next frame of one clip; it returns when the answer is there.
    """

    kind: LandmarkKind
    detect: Callable[[Frame], Any]

    def find(self, frame: Frame) -> tuple[Detection, ...]:
        """What is found in a frame."""
        return tuple(self.kind.task.read(self.detect(frame), frame.size))


def clip(picture: Picture) -> list[Frame]:
    """The picture as a camera shows it that moves slowly to the right and downwards."""
    height, width = picture.pixels.shape[:2]
    shown = max(1, round(KEEP * height)), max(1, round(KEEP * width))
    frames = []
    for index in range(FRAMES):
        part = index / (FRAMES - 1)
        top, left = round((height - shown[0]) * part), round((width - shown[1]) * part)
        pixels = picture.pixels[top : top + shown[0], left : left + shown[1]]
        frames.append(Frame(as_image(pixels), np.array([shown[1], shown[0]], dtype=np.float64)))
    return frames


def back_and_forth(frames: Sequence[Frame]) -> Iterator[Frame]:
    """The frames without end and without a cut: what is followed from one to the next is never lost by a jump."""
    return itertools.cycle([*frames, *frames[-2:0:-1]])


@contextmanager
def landmarker(kind: LandmarkKind, bundle: Path, settings: Settings) -> Iterator[Landmarker]:
    """A landmarker with those settings; `Rejected` where MediaPipe does not take the bundle or a frame."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    mode = str(settings.get(MODE, IMAGE))
    given: dict[str, object] = {**settings, MODE: vision.RunningMode[mode]}
    if mode == LIVE_STREAM:
        given["result_callback"] = lambda result, _image, _milliseconds: answers.put(result)
    options = options_class(kind.task)(base_options=base_options(bundle), **given)
    with opened(landmarker_class(kind.task), options) as marker:
        call = {IMAGE: _still, VIDEO: _video, LIVE_STREAM: _live}[mode](kind.task.methods(marker), answers)

        def detect(frame: Frame) -> Any:
            try:
                return call(frame.image)
            except (RuntimeError, ValueError) as cause:
                raise rejection(cause) from cause

        yield Landmarker(kind, detect)


def thread_options(kinds: Sequence[LandmarkKind]) -> tuple[str, ...]:
    """The options of MediaPipe's Python API that have to do with threads."""
    known = (BaseOptions, *(options_class(kind.task) for kind in kinds))
    return tuple(sorted({field.name for options in known for field in fields(options) if "thread" in field.name}))


def _still(methods: Methods, _: queue.SimpleQueue[Any]) -> Callable[[Any], Any]:
    return methods.still


def _video(methods: Methods, _: queue.SimpleQueue[Any]) -> Callable[[Any], Any]:
    times = itertools.count(step=FRAME_MS)
    return lambda image: methods.video(image, next(times))


def _live(methods: Methods, answers: queue.SimpleQueue[Any]) -> Callable[[Any], Any]:
    times = itertools.count(step=FRAME_MS)

    def detect(image: Any) -> Any:
        methods.live(image, next(times))
        try:
            return answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise Rejected(f"the live stream gave no answer within {ANSWER_SECONDS:g} seconds.") from None

    return detect
