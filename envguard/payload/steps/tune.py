"""Measure what each of MediaPipe's runtime options is worth on a landmarker bundle, and what it costs in detections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..contract import Request
from ..files import bundle as bundles
from ..landmarks.comparison import find_views
from ..landmarks.detections import Detection
from ..landmarks.kinds import Kind, has_blendshapes, kind_of
from ..landmarks.landmarkers import VERSION, Rejected, reader
from ..landmarks.runtime import IMAGE, MODE, Frame, Settings, back_and_forth, clip, landmarker, thread_options
from ..landmarks.trials import Found, Outcome, Trial, advice, defaults, time_json, trials
from ..landmarks.views import Picture, read_picture
from ..measuring.benchmark import Call, Comparison, compare
from ..measuring.cpu import features, processors
from ..protocol import Events, Refused, Result, read_options

PICTURE, MEASUREMENTS = "picture", "measurements"

MOST_PICTURES = 24
"""As many are used, of those given at even distances: each is shown in several frames and under every setting."""

SEVERAL = 2
FINDING, TIMED = 12, 3
"""How many pictures, or parts of them, detections are counted on, and how many of those are timed."""


@dataclass(frozen=True)
class TuneOptions:
    """How many seconds each setting is timed for."""

    seconds: float


def run(request: Request, events: Events) -> Result:
    """Try every option on `inputs["model"]`, one at a time, then those that gain together.

    On the files of the input `face` for a face bundle, `hand` or `pose` for the others, and on those of `picture` for
    any.

    A time is that of one frame of each timed picture; original and setting take turns, see `benchmark`. The same
    settings against themselves say what is noise. Hands on `measurements`: the result with the times of every round.

    `Refused`: anything but a face, hand or pose bundle, one that MediaPipe does not take, no picture, a picture that
    cannot be decoded, pictures in which nothing is found.
    """
    options = read_options(TuneOptions, request)
    bundle = bundles.read(request.file("model"))
    kind = kind_of(bundle)
    if kind is Kind.OTHER:
        raise Refused(
            f"{bundle.path.name} is not a face, hand or pose landmarker bundle, and only those can be tuned.",
            why=f"it holds {', '.join(model.name for model in bundle.models())}",
            next_step="`envguard inspect` shows what is in it; `envguard run quantize` takes any model.",
        )
    pictures = _pictures(request, kind)
    try:
        with reader(kind, bundle.path) as read:
            views = _spread(find_views(kind, read, pictures, events), FINDING)
        bench = Bench(kind, bundle.path, views, options.seconds)
        values, rounds = _tried(bench, defaults(kind, blendshapes=has_blendshapes(bundle)), events)
    except Rejected as rejection:
        raise Refused(f"MediaPipe {VERSION} does not take {bundle.path.name}.", why=str(rejection)) from rejection
    values["sample_size"] = {"pictures": len(pictures), "views": len(views), "timed": len(bench.timed)}
    file = request.folder / f"{MEASUREMENTS}.json"
    file.write_text(json.dumps({**values, "rounds_ms": rounds}, indent=1, allow_nan=False), encoding="utf-8")
    return Result({**values, "files": {MEASUREMENTS: file.name}})


@dataclass
class Bench:
    """One bundle on the same pictures under any settings; what was found under some is not looked for again."""

    kind: Kind
    path: Path
    views: Sequence[Picture]
    seconds: float
    known: dict[str, list[tuple[Detection, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timed = [clip(view) for view in _spread(self.views, TIMED)]

    def time(self, before: Settings, after: Settings) -> Comparison:
        """The time of `after` to that of `before`, per frame.

        A difference is measured once more with landmarkers started anew, and that is what counts: where memory lies
        differs from one start to the next.
        """
        first = self._time_once(before, after)
        return self._time_once(before, after) if first.differs else first

    def found(self, before: Settings, after: Settings) -> Found:
        """What is found under both in all frames."""
        return Found.of(self._find(before), self._find(after))

    def _time_once(self, before: Settings, after: Settings) -> Comparison:
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


def _tried(bench: Bench, known: Settings, events: Events) -> tuple[dict[str, Any], list[list[list[float]]]]:
    """The values of the result, and the milliseconds per frame of every round of the control and of every trial."""
    every = trials(bench.kind, known)
    total, frames = len(every) + 2, len(bench.timed)
    events.progress("The defaults against themselves", 0, total)
    control = bench.time({}, {})
    noise = max(abs(control.low - 1.0), abs(control.high - 1.0))
    outcomes = []
    for done, trial in enumerate(every, start=1):
        events.progress(f"{trial.option} = {trial.value}", done, total)
        outcomes.append(_outcome(bench, trial, noise))
    advised = advice(outcomes, known)
    events.progress("All that gain together", total - 1, total)
    together = _together(bench, {name: value for name, value in advised.items() if value != known[name]}, noise)
    events.progress("All that gain together", total, total)
    times = [control, *(each.time for each in outcomes), *(each.time for each in together)]
    values = {
        "kind": bench.kind.value,
        "mediapipe": VERSION,
        "defaults": dict(known),
        "control": time_json(control, frames),
        "trials": [each.as_json(frames) for each in outcomes],
        "advice": advised,
        "together": together[0].as_json(frames) if together else None,
        "thread_options": thread_options(),
        "cpu": features(),
        "processors": processors(),
    }
    return values, [[[one / frames, other / frames] for one, other in time.samples] for time in times]


def _outcome(bench: Bench, trial: Trial, noise: float) -> Outcome:
    before, after = trial.others, trial.settings
    return Outcome(trial, bench.time(before, after), bench.found(before, after), noise)


def _together(bench: Bench, changed: Settings, noise: float) -> list[Outcome]:
    """All that is advised against the defaults; nothing where that was tried already, or is the defaults."""
    if len(changed) < SEVERAL:
        return []
    trial = Trial(MODE, changed.get(MODE, IMAGE), changed)
    return [Outcome(trial, bench.time({}, changed), bench.found({}, changed), noise)]


def _pictures(request: Request, kind: Kind) -> list[Picture]:
    paths = [*request.files(PICTURE), *request.files(kind.value)]
    if not paths:
        raise Refused("There is no picture to measure on.", next_step=f"Give at least one with a {kind.value}.")
    return [read_picture(path) for path in _spread(paths, MOST_PICTURES)]


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the items, at even distances."""
    step = max(1.0, len(items) / most)
    return [items[int(index * step)] for index in range(min(most, len(items)))]
