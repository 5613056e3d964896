"""Run the original and the quantized models side by side: same interface, close outputs, no slower, and why."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..contract import ANYWHERE, ComparedModel, CompareFindings, Gate, ModelRounds, Request, StepFindings, to_json
from ..files import bundle, calibration
from ..files.bundle import MODEL_SUFFIX, Bundle, ModelFile
from ..gates import GateDeclaration, Limits, due_to, judge, limits_of
from ..graph import facts
from ..graph import model as models
from ..graph.passes import multiply_out
from ..graph.schema import ModelT
from ..graph.weight_errors import weight_errors
from ..int8.goals import BALANCED, goal_of
from ..int8.quantizing import join, split
from ..measuring import accuracy, benchmark, output_gates, profiling, traits
from ..measuring.accuracy import NOTHING_UNREAD
from ..measuring.cpu import processors
from ..measuring.interpreting import CannotRun, Port, Runner
from ..protocol import Events, Refused, read_options
from ..roads.forms import ON_A_GPU, roads_of
from ..roads.unread import unread_of

TWO = 2
SAMPLES = "samples"

TWO_THREADS_SECONDS = 1.0
"""No gate hangs on two threads, so that a busy machine may leave the figure with a wide interval."""

IO_CHANGED = GateDeclaration(
    "io-changed",
    "Inputs and outputs as before",
    "{subject} has other inputs or outputs than before, by name, shape or type.",
)
DOES_NOT_RUN = GateDeclaration(
    "does-not-run", "Runs", "{subject} ran before it was quantized, and does not now: {cause}"
)
COMPARED = GateDeclaration("compared", "Compared with the original", "{subject} could not be compared: {cause}")
SLOWER = GateDeclaration(
    "slower-than-limit",
    f"Time on one thread of this host's processor (differences of up to {benchmark.LEAST_MILLISECONDS} ms aside)",
    "{subject} is {verdict} on this host's processor; the limit is {limit}.",
    "Run again on an idle machine to be sure. Other processors differ: --allow-slower keeps the output.",
    unit="ratio",
    option="max_latency_ratio",
)
GATES = (IO_CHANGED, DOES_NOT_RUN, COMPARED, *output_gates.GATES, SLOWER)


@dataclass(frozen=True)
class CompareOptions:
    """Whether to profile the models, and the goal of quantizing, which may have limits of its own.

    With `allow_slower` a copy that is slower on this host is reported and taken all the same. `target` is what the copy
    was made for.
    """

    profile: bool = True
    allow_slower: bool = False
    goal: str = BALANCED.name
    target: str = ANYWHERE

    @property
    def for_gpus_alone(self) -> bool:
        """Whether no CPU is to run the copy: it is compared as a GPU computes it, and its time here says nothing."""
        return set(roads_of(self.target)) <= set(ON_A_GPU)


@dataclass(frozen=True)
class Pair:
    """One model before and after, what it is called, and the inputs that both are timed with.

    `signature` is the one that they are for; empty for what the model computes by default.
    """

    name: str
    original: bytes
    quantized: bytes
    inputs: accuracy.Inputs
    signature: str = ""

    def start(self, model: bytes, threads: int) -> benchmark.Call:
        """The model loaded anew, its inputs set, ready to be called."""
        runner = Runner(model, threads, self.signature)
        runner.feed(self.inputs.batches[0])
        return runner.invoke


@dataclass(frozen=True)
class Way:
    """One way to call the original, by a signature or by default (the empty one): its interface, and its answers."""

    signature: str
    interface: tuple[tuple[Port, ...], tuple[Port, ...]]
    known: accuracy.Reference


class NotComparable(Exception):
    """There is nothing to hold the copy against; the text says why."""


def run(request: Request, events: Events) -> StepFindings:
    """Compare `inputs["quantized"]` with `inputs["original"]`, model by model.

    `inputs["held_out"]`, if given, is an `.npz` of real inputs by model name that calibration did not see; models
    that have none there are tried with made-up ones, and `inputs` says which it was. Every signature is compared. A
    model that cannot be run, or answers by chance, is not `compared`, and its `reason` says why.

    Hands on `samples` (JSON): `ModelRounds` by model.
    """
    options = read_options(CompareOptions, request, [gate.option for gate in GATES])
    limits = limits_of(GATES, request, goal_of(options.goal).limits)
    may_be_slower = options.allow_slower or options.for_gpus_alone
    held_out = calibration.read(request.file("held_out")) if request.files("held_out") else {}
    source = bundle.read(request.file("original"))
    pairs, unread = _pairs(source, bundle.read(request.file("quantized"))), unread_of(source)
    found: list[ComparedModel] = []
    gates: list[Gate] = []
    samples: dict[str, ModelRounds] = {}
    for number, (original, written) in enumerate(pairs):
        events.progress(original.name, number, len(pairs))
        copy = _as_on_a_gpu(written) if options.for_gpus_alone else written
        pair, model, judged = _accuracy(original, copy, held_out, limits, unread.get(original.name, NOTHING_UNREAD))
        gates += due_to(original.name, judged)
        if pair is not None:
            model, samples[original.name], judged = _speed(pair, model, limits)
            judged = [replace(gate, waived=may_be_slower and not gate.passed) for gate in judged]
            gates += due_to(original.name, judged)
            model = _profiled(pair, model, request.folder) if options.profile else model
        found.append(model)
    events.progress("compare", len(pairs), len(pairs))
    file = request.folder / f"{SAMPLES}.json"
    file.write_text(json.dumps(to_json(samples)), encoding="utf-8")
    return StepFindings(CompareFindings(tuple(found), processors()), tuple(gates), {SAMPLES: file.name})


def _as_on_a_gpu(copy: ModelFile) -> ModelFile:
    """The copy with the weights that GPUs compute with."""
    flatbuffer, attached = split(copy.data, copy.name)
    model = models.load(flatbuffer, copy.name)
    multiply_out.apply(model)
    return replace(copy, data=join(bytes(models.save(model)), attached))


def _pairs(original: Bundle, quantized: Bundle) -> list[tuple[ModelFile, ModelFile]]:
    """Each model with its original; models that were dropped on purpose have no pair."""
    if original.suffix != quantized.suffix:
        raise Refused(f"{quantized.path.name} is not of the same kind as {original.path.name}.")
    if original.suffix == MODEL_SUFFIX:
        return [(original.models()[0], quantized.models()[0])]
    originals = {file.path: file for file in original.models()}
    strangers = [file.name for file in quantized.models() if file.path not in originals]
    if strangers:
        raise Refused(f"{quantized.path.name} has a model that {original.path.name} lacks: {strangers[0]}.")
    return [(originals[file.path], file) for file in quantized.models()]


def _accuracy(
    original: ModelFile,
    copy: ModelFile,
    held_out: Mapping[str, np.ndarray],
    limits: Limits,
    unread: Mapping[int, int] = NOTHING_UNREAD,
) -> tuple[Pair | None, ComparedModel, list[Gate]]:
    """What there is to measure the speed of, if both run; how accurate the copy is; what was judged."""
    name = original.name
    model = models.load(split(original.data, name)[0], name)
    try:
        ways = _ways(original, model, held_out, unread)
    except NotComparable as cause:
        gates = [replace(judge(COMPARED, passed=False, subject=name, words={"cause": cause}), judged=False)]
        return None, ComparedModel(name, reason=f"not run: {cause}"), gates
    gates, outputs = [], []
    for way in ways:
        try:
            found = _compared(way, copy, gates)
        except CannotRun as cause:
            gates.append(judge(DOES_NOT_RUN, passed=False, subject=name, words={"cause": cause}))
            return None, ComparedModel(name, reason=f"not run: {cause}"), gates
        if found is None:
            return None, ComparedModel(name, reason="not run: its interface changed"), gates
        outputs += found
        gates += output_gates.judged(name, way.known.inputs, found, limits)
    gates += [judge(gate, passed=True, subject=name) for gate in (DOES_NOT_RUN, COMPARED)]
    inputs = ways[0].known.inputs
    compared = ComparedModel(
        name,
        ran=True,
        inputs=inputs.kind,
        inputs_tried=len(inputs.batches),
        outputs=tuple(output.described() for output in outputs),
        layers=weight_errors(model, models.load(split(copy.data, name)[0], name)),
    )
    return Pair(name, original.data, copy.data, inputs, ways[0].signature), compared, gates


def _ways(
    original: ModelFile, model: ModelT, held_out: Mapping[str, np.ndarray], unread: Mapping[int, int]
) -> list[Way]:
    """Every way to call the original, with inputs that it answers; raises `NotComparable` where one has none."""
    random = traits.random_operators(model)
    if random:
        raise NotComparable(f"the operator {', '.join(random)} answers by chance, so no two answers are alike.")
    try:
        # One signature is the main graph by another name; its tensors' own names are what reports have always shown.
        signatures = Runner(original.data).signatures
        if len(signatures) > 1:
            return [_way(original, model, held_out, signature) for signature in signatures]
        return [_way(original, model, held_out, "", unread)]
    except CannotRun as cause:
        custom = facts.custom_operators(model)
        raise NotComparable(f"custom operator {', '.join(custom)}" if custom else str(cause)) from cause


def _way(
    original: ModelFile,
    model: ModelT,
    held_out: Mapping[str, np.ndarray],
    signature: str,
    unread: Mapping[int, int] = NOTHING_UNREAD,
) -> Way:
    runner = Runner(original.data, signature=signature)
    interface = (runner.inputs, runner.outputs)
    inputs = accuracy.inputs_to_judge(original.name, model, runner, held_out, signature, len(original.data))
    if accuracy.answers_by_chance(runner, inputs):
        raise NotComparable("the same input has another answer each time.")
    return Way(signature, interface, accuracy.reference(runner, inputs, model, signature, unread))


def _compared(way: Way, copy: ModelFile, gates: list[Gate]) -> list[accuracy.Output] | None:
    """The outputs of both, named by their signature where there are several; None if the interface is another."""
    after = Runner(copy.data, signature=way.signature)
    same = way.interface == (after.inputs, after.outputs)
    subject = f"{way.signature} of {copy.name}" if way.signature else copy.name
    gates.append(judge(IO_CHANGED, passed=same, subject=subject))
    if not same:
        return None
    found = accuracy.outputs(way.known, after)
    return [output.named_by(way.signature) for output in found] if way.signature else found


def _speed(pair: Pair, model: ComparedModel, limits: Limits) -> tuple[ComparedModel, ModelRounds, list[Gate]]:
    """Times on one thread, which are judged, and on two; of loading, and of the first call. And every single one."""
    limit = limits[SLOWER.option]
    one = benchmark.judge(lambda: pair.start(pair.original, 1), lambda: pair.start(pair.quantized, 1), limit)
    load, first = benchmark.compare_starts(lambda: pair.start(pair.original, 1), lambda: pair.start(pair.quantized, 1))
    model = replace(model, latency=one.timing(1), load=load.timing(), first=first.timing())
    rounds = ModelRounds(latency=one.samples, load=load.samples, first=first.samples)
    if processors() < TWO:
        model = replace(model, two_threads_reason="not measured: only one processor may be used here")
    else:
        before, after = pair.start(pair.original, TWO), pair.start(pair.quantized, TWO)
        two = benchmark.compare(before, after, seconds=TWO_THREADS_SECONDS)
        model, rounds = replace(model, two_threads=two.timing(TWO)), replace(rounds, two_threads=two.samples)
    return model, rounds, [] if limit is None else [_judged_time(pair.name, one, limit)]


def _judged_time(name: str, time: benchmark.PairedTimes, limit: float) -> Gate:
    slower = time.is_slower_than(limit)
    return judge(SLOWER, time.ratio, limit, passed=not slower, subject=name, words={"verdict": time.in_words()})


def _profiled(pair: Pair, model: ComparedModel, folder: Path) -> ComparedModel:
    if pair.signature:
        return replace(model, profile_reason="the profiler runs what a model computes by default, not its signatures")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            found = profiling.profile(pair.original, pair.quantized, pair.inputs.batches[0], Path(scratch))
        except profiling.NoProfile as cause:
            return replace(model, profile_reason=str(cause))
    return replace(model, profile=found)
