"""What is particular to one of MediaPipe's landmarkers, as one object; each kind has a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..files.bundle import BUNDLE_SUFFIX, Bundle
from .detections import Detection
from .gates import LandmarkGate
from .model_inputs import InputMaker
from .regions import Region

HELD_OUT = "held_out"


@dataclass(frozen=True)
class MemberModel:
    """A model of a bundle: its name, and what makes its inputs of a picture in which something was found."""

    name: str
    inputs: InputMaker


@dataclass(frozen=True)
class Anatomy:
    """Where MediaPipe looks at what was found, computed from its (N, 2) landmarks in pixels.

    `region` is what MediaPipe crops in IMAGE mode, `framed` are regions in which the landmark model may be shown the
    same thing, the likeliest in IMAGE mode first. `measure` names the length that shifts are relative to, and `length`
    gives its pixels.
    """

    region: Callable[[np.ndarray], Region]
    framed: Callable[[np.ndarray], Sequence[Region]]
    measure: str
    length: Callable[[np.ndarray], float]


@dataclass(frozen=True)
class MediaPipeTask:
    """A landmarker of MediaPipe's Python API: its classes, the names of its options, and how its results are read.

    `number` is the option for how many things are looked for, `confidences` those of the detector and of the landmark
    model. `switches` turn an output on, each for bundles with the member that it names: without it MediaPipe rejects
    the bundle. `read` takes a result, and the width and height of the picture.
    """

    landmarker: Any
    options: Any
    number: str
    confidences: tuple[str, ...]
    read: Callable[[Any, np.ndarray], Iterator[Detection]]
    switches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LandmarkKind:
    """A kind of bundle whose landmarks are compared.

    `things` is what is counted. `detector` finds them in a picture, `landmarks` sees a crop of each; `more` are
    members that a bundle may lack. `scores` names the scores of a detection, if it has any; `has_sides` says that a
    detection is a left or a right one. Things that are `often_alone` are not searched for in parts of a picture in
    which one was found.
    """

    name: str
    things: str
    detector: MemberModel
    landmarks: MemberModel
    anatomy: Anatomy
    task: MediaPipeTask
    gates: tuple[LandmarkGate, ...]
    more: tuple[MemberModel, ...] = ()
    scores: str = ""
    has_sides: bool = False
    often_alone: bool = False

    @property
    def members(self) -> tuple[MemberModel, ...]:
        """All models that a bundle of this kind may have."""
        return (self.detector, self.landmarks, *self.more)

    @property
    def samples(self) -> str:
        """The input of the steps `verify`, `calibrate` and `tune` that has pictures of this kind."""
        return self.name

    @property
    def held_out_samples(self) -> str:
        """The input of the step `calibrate` that has pictures for held-out inputs."""
        return f"{self.name}_{HELD_OUT}"

    def takes(self, bundle: Bundle) -> bool:
        """Whether the landmarker takes the bundle, as its members tell; a bare model is for none."""
        names = {model.name for model in bundle.models()}
        return bundle.suffix == BUNDLE_SUFFIX and {self.detector.name, self.landmarks.name} <= names

    def switches(self, bundle: Bundle) -> tuple[str, ...]:
        """The options that turn on every output that the bundle has the model for."""
        names = {model.name for model in bundle.models()}
        return tuple(option for option, member in self.task.switches.items() if member in names)
