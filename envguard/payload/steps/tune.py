"""Measure what each of MediaPipe's runtime options is worth on a landmarker bundle, and what it costs in detections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..contract import FoundCounts, Json, OptionTrial, Request, StepFindings, TunedOn, TuneFindings, to_json
from ..files import bundle as bundles
from ..files.bundle import Bundle
from ..files.own_files import own_pictures
from ..landmarks.comparison import find_views
from ..landmarks.detections import Detection, Rejected
from ..landmarks.kind import LandmarkKind
from ..landmarks.kinds import KINDS, kind_of
from ..landmarks.landmarkers import VERSION, reader
from ..landmarks.runtime import IMAGE, MODE, Frame, Settings, back_and_forth, clip, landmarker, thread_options
from ..landmarks.trials import (
    SettingToTry,
    advice,
    defaults,
    found_counts,
    frame_times,
    gains,
    settings_to_try,
    trial,
)
from ..landmarks.views import Picture
from ..measuring.benchmark import Call, PairedTimes, compare
from ..measuring.cpu import features, processors
from ..pictures.reading import read_pictures
from ..protocol import Events, Refused, read_options

MEASUREMENTS = "measurements"

MOST_PICTURES = 24
"""As many are used, of those given at even distances: each is shown in several frames and under every setting."""

SEVERAL = 2
FINDING, TIMED = 12, 3
"""How many pictures, or parts of them, detections are counted on, and how many of those are timed."""

Item = TypeVar("Item")
Rounds = list[list[float]]
"""Milliseconds per frame of each round, before and after."""


@dataclass(frozen=True)
class TuneOptions:
    """How many seconds each setting is timed for."""

    seconds: float


def run(request: Request, events: Events) -> StepFindings:
    """Try every option on `inputs["model"]`, one at a time, then those that gain together.

    On the pictures of the input that the bundle's kind names (`face`, `hand`, `pose`), and on those of `picture` for
    any.

    A time is that of one frame of each timed picture; original and setting take turns, see `benchmark`. The same
    settings against themselves say what is noise. Hands on `measurements`: the result with the times of every round.

    `Refused`: a bundle of no kind, one that MediaPipe does not take, no picture, a picture that cannot be decoded,
    pictures in which nothing is found.
    """
    options = read_options(TuneOptions, request)
    bundle = bundles.read(request.file("model"))
    kind = kind_of(bundle)
    if kind is None:
        kinds = f"{', '.join(each.name for each in KINDS[:-1])} or {KINDS[-1].name}"
        raise Refused(
            f"{bundle.path.name} is not a {kinds} bundle, and only those can be tuned.",
            why=f"it holds {', '.join(model.name for model in bundle.models())}",
            next_step="`envguard inspect` shows what is in it; `envguard run quantize` takes any model.",
        )
    pictures = _pictures(request, kind, events)
    try:
        with reader(kind, bundle.path) as read:
            views = _spread(find_views(kind, read, pictures, events), FINDING)
        bench = Bench(kind, bundle.path, views, options.seconds)
        tried = _tried(bench, bundle, events)
    except Rejected as rejection:
        raise Refused(f"MediaPipe {VERSION} does not take {bundle.path.name}.", why=str(rejection)) from rejection
    found = _findings(bench, bundle, tried, TunedOn(len(pictures), len(views), len(bench.timed)))
    document = {**_as_object(found), "rounds_ms": tried.rounds(len(bench.timed))}
    file = request.folder / f"{MEASUREMENTS}.json"
    file.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
    return StepFindings(found, files={MEASUREMENTS: file.name})


@dataclass
class Bench:
    """One bundle on the same pictures under any settings; what was found under some is not looked for again."""

    kind: LandmarkKind
    path: Path
    views: Sequence[Picture]
    seconds: float
    known: dict[str, list[tuple[Detection, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timed = [clip(view) for view in _spread(self.views, TIMED)]

    def time(self, before: Settings, after: Settings) -> PairedTimes:
        """The time of `after` to that of `before`, per frame.

        A difference is measured once more with landmarkers started anew, and that is what counts: where memory lies
        differs from one start to the next.
        """
        first = self._time_once(before, after)
        return self._time_once(before, after) if first.differs else first

    def found(self, before: Settings, after: Settings) -> FoundCounts:
        """What is found under both in all frames."""
        return found_counts(self._find(before), self._find(after))

    def _time_once(self, before: Settings, after: Settings) -> PairedTimes:
        with ExitStack() as stack:
            return compare(self._call(stack, before), self._call(stack, after), seconds=self.seconds)

    def _call(self, stack: ExitStack, settings: Settings) -> Call:
        """One frame of each clip, the next at each call; every clip has a landmarker of its own that follows it."""
        clips = [
            (stack.enter_context(landmarker(self.kind, self.path, settings)).detect, back_and_forth(frames))
            for frames in self.timed
        ]

        def call() -> None:
            for detect, frames in clips:
                detect(next(frames))

        return call

    def _find(self, settings: Settings) -> list[tuple[Detection, ...]]:
        key = json.dumps(settings, sort_keys=True)
        if key not in self.known:
            self.known[key] = list(self._look(settings))
        return self.known[key]

    def _look(self, settings: Settings) -> Iterator[tuple[Detection, ...]]:
        if settings.get(MODE, IMAGE) == IMAGE:
            with landmarker(self.kind, self.path, settings) as marker:
                yield from map(marker.find, self._frames(self.views))
            return
        for view in self.views:
            # What is followed in one clip must not be looked for in the next.
            with landmarker(self.kind, self.path, settings) as marker:
                yield from map(marker.find, self._frames([view]))

    def _frames(self, views: Sequence[Picture]) -> Iterator[Frame]:
        return (frame for view in views for frame in clip(view))


@dataclass(frozen=True)
class Tried:
    """Everything that was tried, each trial with its times; `together` is empty where nothing was tried together."""

    control: PairedTimes
    alone: Sequence[tuple[OptionTrial, PairedTimes]]
    together: Sequence[tuple[OptionTrial, PairedTimes]]

    @property
    def trials(self) -> tuple[OptionTrial, ...]:
        """What was tried by itself."""
        return tuple(each for each, _ in self.alone)

    def rounds(self, frames: int) -> list[Rounds]:
        """Every round of the control, of every trial, and of what was tried together, for so many frames."""
        times = [self.control, *(time for _, time in (*self.alone, *self.together))]
        return [[[one / frames, other / frames] for one, other in time.samples] for time in times]


def _tried(bench: Bench, bundle: Bundle, events: Events) -> Tried:
    every, known = settings_to_try(bench.kind, bundle), defaults(bench.kind, bundle)
    total = len(every) + 2
    events.progress("The defaults against themselves", 0, total)
    control = bench.time({}, {})
    noise = max(abs(control.low - 1.0), abs(control.high - 1.0))
    alone = []
    for done, each in enumerate(every, start=1):
        events.progress(f"{each.option} = {each.value}", done, total)
        alone.append(_trial(bench, each, (each.others, each.settings), noise))
    events.progress("All that gain together", total - 1, total)
    advised = advice([each for each, _ in alone], known)
    together = _together(bench, gains(advised, known), noise)
    events.progress("All that gain together", total, total)
    return Tried(control, alone, together)


def _trial(
    bench: Bench, tried: SettingToTry, sides: tuple[Settings, Settings], noise: float
) -> tuple[OptionTrial, PairedTimes]:
    time, found = bench.time(*sides), bench.found(*sides)
    return trial(tried, time, found, noise, len(bench.timed)), time


def _together(bench: Bench, changed: Settings, noise: float) -> list[tuple[OptionTrial, PairedTimes]]:
    """All that is advised against the defaults; nothing where that was tried already, or is the defaults."""
    if len(changed) < SEVERAL:
        return []
    tried = SettingToTry(MODE, changed.get(MODE, IMAGE), changed)
    return [_trial(bench, tried, ({}, changed), noise)]


def _findings(bench: Bench, bundle: Bundle, tried: Tried, size: TunedOn) -> TuneFindings:
    known = defaults(bench.kind, bundle)
    return TuneFindings(
        kind=bench.kind.name,
        mediapipe=VERSION,
        defaults=known,
        control=frame_times(tried.control, len(bench.timed)),
        trials=tried.trials,
        advice=advice(tried.trials, known),
        together=tried.together[0][0] if tried.together else None,
        thread_options=thread_options(KINDS),
        cpu=features(),
        processors=processors(),
        sample_size=size,
    )


def _as_object(found: TuneFindings) -> dict[str, Json]:
    """The findings as a file of their own, which need not say what step they are of."""
    document = to_json(found)
    assert isinstance(document, dict)
    return {key: value for key, value in document.items() if key != "step"}


def _pictures(request: Request, kind: LandmarkKind, events: Events) -> list[Picture]:
    paths = own_pictures(request) or list(request.files(kind.samples))
    if not paths:
        raise Refused("There is no picture to measure on.", next_step=f"Give at least one with a {kind.samples}.")
    return read_pictures(_spread(paths, MOST_PICTURES), events)


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, at even distances."""
    step = max(1.0, len(items) / most)
    return [items[int(index * step)] for index in range(min(most, len(items)))]
