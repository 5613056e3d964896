"""Run the original and the quantized bundle in MediaPipe itself, on each road, and judge how far apart they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..contract import (
    CPU,
    GPU,
    OTHER,
    CompareFindings,
    Gate,
    InspectFindings,
    Measures,
    QuantizeFindings,
    Request,
    RoadRun,
    SampleSize,
    StepFindings,
    VerifyDetails,
    VerifyFindings,
    to_json,
)
from ..files import bundle as bundles
from ..gates import COMPARED, GateDeclaration, Limits, judge, limits_of, unjudged
from ..gpu import bare
from ..gpu.asking import Pair, on_gpu
from ..int8.goals import BALANCED, goal_of
from ..landmarks.comparison import ComparedImage, NothingFound, Subject, compare, find_views, noise_floor
from ..landmarks.details import gather
from ..landmarks.detections import Rejected
from ..landmarks.gates import judged
from ..landmarks.kind import LandmarkKind
from ..landmarks.kinds import KINDS, kind_of, picture_sizes
from ..landmarks.landmarkers import VERSION, reader
from ..landmarks.road_gates import (
    FINDS_NOTHING,
    gates_on,
    is_low_rank,
    judged_on_its_own,
    limits_on,
    on_its_own,
    refuses,
)
from ..landmarks.verification import call_times, measures
from ..landmarks.views import Picture
from ..pictures.reading import read_pictures
from ..protocol import Events, Refused, read_options

PICTURE = "picture"
DETAILS = "details"
REFUSED = "refused"
"""The verdict of rules on a model that a road does not take."""

NOTHING = "Nothing was found in any of the pictures."


REJECTS = GateDeclaration(
    "mediapipe-rejects",
    "MediaPipe takes the quantized bundle for its {kind} task",
    f"MediaPipe {VERSION} does not take the quantized bundle: {{reason}}",
    "Quantize with --goal accuracy, which changes least; the message names what the runtime misses.",
)
GPU_REFUSES = refuses(
    GPU,
    f"MediaPipe {VERSION}'s GPU delegate",
    "Quantize with --for gpu or --for anywhere, which keep to what this road takes.",
)
NOT_RUN = GateDeclaration("gpu-run", "The road gpu is run", "The road {subject} was not run: {reason}")
GATES = tuple(gate.declaration for kind in KINDS for gate in (*kind.gates, *gates_on(GPU, kind)))
GATES += (bare.INACCURATE,)


@dataclass(frozen=True)
class VerifyOptions:
    """The goal of quantizing, which may have limits of its own, and the roads that are judged.

    With `must_run`, a road that cannot be run here leaves the verdict open; otherwise it is told of and no more.
    """

    goal: str = BALANCED.name
    roads: tuple[str, ...] = (CPU,)
    must_run: bool = False

    def left_open(self, run: RoadRun) -> tuple[Gate, ...]:
        """The gate of a road that was not run though it had to be."""
        if run.ran or not self.must_run:
            return ()
        return (unjudged(NOT_RUN, NOT_RUN.message, run.road, {"reason": run.reason}),)


@dataclass(frozen=True)
class Readings:
    """All that was read of both bundles: `noise` is the original against itself with noise."""

    subject: Subject
    views: Sequence[Picture]
    compared: Sequence[ComparedImage]
    noise: Sequence[ComparedImage]

    @property
    def details(self) -> VerifyDetails:
        """What a report draws."""
        return gather(self.subject, self.compared, self.noise, self.views)

    def written(self, folder: Path) -> dict[str, str]:
        """The file with what a report draws, by its name."""
        file = folder / f"{DETAILS}.json"
        file.write_text(json.dumps(to_json(self.details), allow_nan=False), encoding="utf-8")
        return {DETAILS: file.name}

    def findings(self, pictures: int) -> VerifyFindings:
        """The figures, of so many pictures."""
        return VerifyFindings(
            verified=True,
            kind=self.subject.kind.name,
            mediapipe=VERSION,
            sample_size=SampleSize(pictures, len(self.views), len(self.compared)),
            measures=measures(self.subject, self.compared),
            noise=measures(self.subject, self.noise),
            latency=call_times(self.compared),
        )


def on_cpu(found: VerifyFindings) -> RoadRun:
    """The figures of the road `cpu`, as those of any road."""
    return RoadRun(
        CPU,
        ran=True,
        runtime=f"MediaPipe {found.mediapipe} with XNNPACK",
        original_taken=True,
        copy_taken=True,
        sample_size=found.sample_size,
        measures=found.measures,
        noise=found.noise,
        latency=found.latency,
    )


def run(request: Request, events: Events) -> StepFindings:
    """Verify `inputs["quantized"]` against `inputs["original"]` in MediaPipe, or without one, whether it runs at all.

    On the pictures of the input that the bundle's kind names (`face`, `hand`, `pose`), and on those of `picture` for
    any. What the models take is read from the findings of the step `inspect`. For a bundle of no kind `verified` is
    false, and `reason` says why.

    Hands on `details` (JSON): a `VerifyDetails`. `Refused`: an original that MediaPipe rejects, no picture, a picture
    that cannot be decoded, pictures in which the original finds nothing.
    """
    options = read_options(VerifyOptions, request, [gate.option for gate in GATES])
    goal = goal_of(options.goal)
    limits = limits_of(GATES, request, {**goal.limits, **limits_on(GPU, KINDS, goal, low_rank=is_low_rank(request))})
    quantized = bundles.read(request.file("quantized"))
    original = bundles.read(request.file("original")) if request.files("original") else quantized
    kind = kind_of(original)
    if kind is None:
        return _without_task(request, options, original, quantized, limits)
    if kind_of(quantized) is not kind:
        return _rejected(kind, "it lacks one of the models that the task runs.")
    sizes = picture_sizes(request.found(InspectFindings).models)
    subject = Subject(kind, sizes[original.names[kind.landmarks.path]][0])
    pictures = _read_pictures(request, kind, events)
    try:
        readings = _read(subject, original, quantized, pictures, events)
    except Rejected as rejection:
        return _rejected(kind, str(rejection))
    except NothingFound as nothing:
        return _found_nothing(kind, nothing, alone=original is quantized)
    found = readings.findings(len(pictures))
    pair = Pair(original.path, quantized.path, subject, readings.views, len(pictures))
    runs = [on_cpu(found), *([on_gpu(pair, request.folder / GPU, events)] if GPU in options.roads else [])]
    if original is quantized:
        return _of_one(found, runs, kind, options)
    gates = [judge(REJECTS, passed=True, words={"kind": kind.name})]
    gates += [gate for run in runs if run.road in options.roads for gate in _judged_on(run, kind, limits, original)]
    gates = [blamed(gate, request) if gate.name == GPU_REFUSES.name else gate for gate in gates]
    gates += [gate for run in runs for gate in options.left_open(run)]
    gates += [judge(COMPARED, passed=True, subject=name) for name in run_here_alone(request, kind, original)]
    return StepFindings(replace(found, roads=tuple(runs)), tuple(gates), readings.written(request.folder))


def _of_one(found: VerifyFindings, runs: Sequence[RoadRun], kind: LandmarkKind, options: VerifyOptions) -> StepFindings:
    """What was found of a file that was beside itself, for want of an original."""
    own = [on_its_own(run) for run in runs if run.road in options.roads]
    gates = tuple(gate for run in own for gate in (*judged_on_its_own(run, kind.things), *options.left_open(run)))
    measured = None if found.measures is None else Measures(found.measures.counts)
    return StepFindings(replace(found, measures=measured, noise=None, latency=None, roads=tuple(own)), gates)


def _found_nothing(kind: LandmarkKind, nothing: NothingFound, *, alone: bool) -> StepFindings:
    """Of an original that is a wrong choice of pictures, of a file for itself its fault."""
    if not alone:
        raise nothing
    gate = judge(FINDS_NOTHING, passed=False, subject=CPU, words={"things": kind.things})
    return StepFindings(_not_verified(kind.name, NOTHING), (gate,))


def _without_task(
    request: Request, options: VerifyOptions, original: bundles.Bundle, quantized: bundles.Bundle, limits: Limits
) -> StepFindings:
    """What can be said of a file that no task takes: what the GPU delegate makes of its models."""
    found = _not_verified(OTHER, _why_not(original))
    if GPU not in options.roads:
        return StepFindings(found)
    run = bare.on_gpu(original, quantized, request.found(InspectFindings).models)
    if original is quantized:
        own = on_its_own(run)
        return StepFindings(replace(found, roads=(own,)), (*judged_on_its_own(own), *options.left_open(own)))
    gates = [*bare.gates_of(run, limits), *options.left_open(run)]
    if run.original_taken:
        gates.insert(0, judge(GPU_REFUSES, passed=bool(run.copy_taken), words={"reason": run.reason}))
    return StepFindings(replace(found, roads=(run,)), tuple(gates))


def _judged_on(run: RoadRun, kind: LandmarkKind, limits: Limits, original: bundles.Bundle) -> list[Gate]:
    """The gates of one road; none where it was not run, and none where the original was not taken either."""
    gates, parts = [], kind.parts_of(original)
    if run.road != CPU and run.original_taken:
        refused = judge(GPU_REFUSES, passed=bool(run.copy_taken), words={"reason": run.reason})
        gates.append(replace(refused, models=tuple(kind.members_of(original))))
    if run.measures:
        gates += judged(kind.gates if run.road == CPU else gates_on(run.road, kind), run.measures, limits, parts)
    return gates


def blamed(refused: Gate, request: Request) -> Gate:
    """The delegate's refusal, due to the models that rules say it refuses; without such, to any."""
    try:
        models = request.found(QuantizeFindings).models
    except LookupError:
        return refused
    known = [model.name for model in models for lint in model.roads if (lint.road, lint.verdict) == (GPU, REFUSED)]
    return replace(refused, models=tuple(known) or refused.models)


def run_here_alone(request: Request, kind: LandmarkKind, original: bundles.Bundle) -> list[str]:
    """The models that MediaPipe ran and the step `compare` could not; what else the bundle holds was not run here."""
    try:
        earlier = request.found(CompareFindings).models
    except LookupError:
        return []
    here = kind.members_of(original)
    return [model.name for model in earlier if not model.ran and model.name in here]


def _read(
    subject: Subject,
    original: bundles.Bundle,
    quantized: bundles.Bundle,
    pictures: Sequence[Picture],
    events: Events,
) -> Readings:
    """Run both; `Refused` if MediaPipe does not take the original, `Rejected` if it does not take the copy."""
    kind = subject.kind
    with ExitStack() as stack:
        try:
            before = stack.enter_context(reader(kind, original.path, kind.switches(original)))
            views = find_views(kind, before, pictures, events)
            noise = noise_floor(subject, before, views)
        except Rejected as rejection:
            if original is quantized:
                raise
            raise Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection)) from rejection
        after = stack.enter_context(reader(kind, quantized.path, kind.switches(quantized)))
        return Readings(subject, views, compare(subject, before, after, views, events), noise)


def _why_not(original: bundles.Bundle) -> str:
    if original.suffix == bundles.MODEL_SUFFIX:
        return "MediaPipe's tasks take .task bundles; a single model's own outputs are compared instead."
    names = ", ".join(model.name for model in original.models())
    kinds = f"{', '.join(kind.name for kind in KINDS[:-1])} or {KINDS[-1].name}"
    return f"This is not a {kinds} bundle; it holds {names}."


def _read_pictures(request: Request, kind: LandmarkKind, events: Events) -> list[Picture]:
    paths = [*request.files(PICTURE), *request.files(kind.samples)]
    if not paths:
        raise Refused(
            "There is no picture to verify with.", next_step=f"Give at least one picture with a {kind.samples}."
        )
    return read_pictures(paths, events)


def _not_verified(kind: str, reason: str) -> VerifyFindings:
    return VerifyFindings(verified=False, kind=kind, mediapipe=VERSION, reason=reason)


def _rejected(kind: LandmarkKind, reason: str) -> StepFindings:
    gate = judge(REJECTS, passed=False, words={"kind": kind.name, "reason": reason})
    return StepFindings(_not_verified(kind.name, reason), (gate,))
