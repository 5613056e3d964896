"""What is particular to one of MediaPipe's landmarkers, as one object; each kind has a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..files.bundle import BUNDLE_SUFFIX, Bundle
from .detections import Detection
from .gates import DETECTOR, LANDMARKS, REST, LandmarkGate
from .model_inputs import InputMaker
from .regions import Region

HELD_OUT = "held_out"


@dataclass(frozen=True)
class MemberModel:
    """A model of a bundle: its path, and what makes each of its inputs of a picture in which something was found."""

    path: str
    inputs: tuple[InputMaker, ...] = ()


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
class Methods:
    """What a landmarker is called by in IMAGE, VIDEO and LIVE_STREAM mode."""

    still: Callable[[Any], Any]
    video: Callable[[Any, int], Any]
    live: Callable[[Any, int], Any]


@dataclass(frozen=True)
class MediaPipeTask:
    """A landmarker of MediaPipe's API: its name, the names of its options, and how its results are read.

    `name` is that of its class, in Python and on the web. `verb` is what its methods' names begin with (`detect`,
    `detect_for_video`, `detect_async`). `number` is the option for how many things are looked for, `confidences` those
    of the detector and of the landmark model. `switches` turn an output on, each for bundles with the member of that
    path: without it MediaPipe rejects the bundle. `read` takes a result, and the width and height of the picture.
    """

    name: str
    number: str
    confidences: tuple[str, ...]
    read: Callable[[Any, np.ndarray], Iterator[Detection]]
    switches: Mapping[str, str] = field(default_factory=dict)
    verb: str = "detect"

    def methods(self, landmarker: Any) -> Methods:
        """Those of a landmarker of this class."""
        still, video, live = (getattr(landmarker, self.verb + mode) for mode in ("", "_for_video", "_async"))
        return Methods(still, video, live)


@dataclass(frozen=True)
class LandmarkKind:
    """A kind of bundle whose landmarks are compared.

    `things` is what is counted, and `pictures` the kind whose pictures serve for this one too. `detector` finds things
    in a picture, `landmarks` sees a crop of each; `needed` are other models without which MediaPipe rejects a bundle,
    `more` are those that it may lack. `scores` names the scores of a detection, if it has any; `has_sides` says that a
    detection is a left or a right one, `has_categories` that it is recognized as something, such as a gesture. Things
    that are `often_alone` are not searched for in parts of a picture in which one was found.
    """

    name: str
    things: str
    detector: MemberModel
    landmarks: MemberModel
    anatomy: Anatomy
    task: MediaPipeTask
    gates: tuple[LandmarkGate, ...]
    needed: tuple[MemberModel, ...] = ()
    more: tuple[MemberModel, ...] = ()
    pictures: str = ""
    scores: str = ""
    has_sides: bool = False
    has_categories: bool = False
    often_alone: bool = False

    @property
    def members(self) -> tuple[MemberModel, ...]:
        """All models that a bundle of this kind may have."""
        return (self.detector, self.landmarks, *self.needed, *self.more)

    @property
    def samples(self) -> str:
        """The input of the steps `verify`, `calibrate` and `tune` that has pictures of this kind."""
        return self.pictures or self.name

    @property
    def held_out_samples(self) -> str:
        """The input of the step `calibrate` that has pictures for held-out inputs."""
        return f"{self.samples}_{HELD_OUT}"

    def members_of(self, bundle: Bundle) -> dict[str, MemberModel]:
        """The models of the bundle that the landmarker runs, by the names that they have there."""
        return {bundle.names[member.path]: member for member in self.members if member.path in bundle.names}

    def parts_of(self, bundle: Bundle) -> dict[str, tuple[str, ...]]:
        """The names that the models of the bundle have there, by the parts that gates may be due to."""
        parts = {DETECTOR: (self.detector,), LANDMARKS: (self.landmarks,), REST: (*self.more, *self.needed)}
        return {
            part: tuple(bundle.names[member.path] for member in members if member.path in bundle.names)
            for part, members in parts.items()
        }

    def takes(self, bundle: Bundle) -> bool:
        """Whether the landmarker takes the bundle, as its members tell; a bare model is for none."""
        paths = {model.path for model in bundle.models()}
        needed = {member.path for member in (self.detector, self.landmarks, *self.needed)}
        return bundle.suffix == BUNDLE_SUFFIX and needed <= paths

    def switches(self, bundle: Bundle) -> tuple[str, ...]:
        """The options that turn on every output that the bundle has the model for."""
        paths = {model.path for model in bundle.models()}
        return tuple(option for option, member in self.task.switches.items() if member in paths)
