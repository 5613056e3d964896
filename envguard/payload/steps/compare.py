"""Run the original and the quantized models side by side: same interface, close outputs, no slower, and why."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..contract import ComparedModel, CompareFindings, Gate, ModelRounds, Request, StepFindings, to_json
from ..files import bundle, calibration
from ..files.bundle import MODEL_SUFFIX, Bundle, ModelFile
from ..gates import GateDeclaration, Limits, due_to, judge, limits_of
from ..graph import facts
from ..graph import model as models
from ..graph.normalization import input_ranges
from ..graph.weight_errors import weight_errors
from ..int8.goals import BALANCED, goal_of
from ..int8.quantizing import split
from ..measuring import accuracy, benchmark, numerics, profiling, synthetic
from ..measuring.cpu import processors
from ..measuring.interpreting import CannotRun, Runner
from ..protocol import Events, Refused, read_options

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
NOT_FINITE = GateDeclaration("not-finite", "Output is finite", "{subject} has NaN or infinities.")
SILENT_ZEROS = GateDeclaration(
    "silent-zeros", "Output is not all zeros", "{subject} is all zeros where the original's is not."
)
_INACCURATE = "{subject} has a cosine similarity of {measured:.3f} on {tried} {kind} inputs; the limit is {limit:g}."
INACCURATE = GateDeclaration(
    "inaccurate",
    "Cosine similarity on made-up inputs",
    _INACCURATE,
    option="min_cosine",
    default=0.7,
    at_least=True,
)
REALLY_INACCURATE = GateDeclaration(
    "inaccurate",
    "Cosine similarity on held-out inputs",
    _INACCURATE,
    option="min_real_cosine",
    default=0.95,
    at_least=True,
)
"""Of MediaPipe's three face models with weights rounded to 8 bits as they are, every output stays above 0.98 on real
inputs; with 5 bits each model has one below 0.94. Made-up inputs cannot be judged so strictly: what is confidence there
is near zero, and the same 8 bits bring one output of the landmark model down to 0.84.
"""
SLOWER = GateDeclaration(
    "slower-than-limit",
    "Time on one thread",
    "{subject} is {verdict} on this host's processor; the limit is {limit}.",
    "Run again on an idle machine to be sure. Other processors differ: --allow-slower keeps the output.",
    unit="ratio",
    option="max_latency_ratio",
)
GATES = (IO_CHANGED, DOES_NOT_RUN, NOT_FINITE, SILENT_ZEROS, INACCURATE, REALLY_INACCURATE, SLOWER)


@dataclass(frozen=True)
class CompareOptions:
    """Whether to profile the models, and the goal of quantizing, which may have limits of its own.

    With `allow_slower` a copy that is slower on this host is reported and taken all the same.
    """

    profile: bool = True
    allow_slower: bool = False
    goal: str = BALANCED.name


@dataclass(frozen=True)
class Pair:
    """One model before and after, what it is called, and the inputs that both are measured with."""

    name: str
    original: bytes
    quantized: bytes
    inputs: accuracy.Inputs

    def start(self, model: bytes, threads: int) -> benchmark.Call:
        """The model loaded anew, its inputs set, ready to be called."""
        runner = Runner(model, threads)
        runner.feed(self.inputs.batches[0])
        return runner.invoke


def run(request: Request, events: Events) -> StepFindings:
    """Compare `inputs["quantized"]` with `inputs["original"]`, model by model.

    `inputs["held_out"]`, if given, is an `.npz` of real inputs by model name that calibration did not see; models
    that have none there are tried with made-up ones, and `inputs` says which it was. A model with operators that only
    MediaPipe has is not run, and its `reason` says so.

    Hands on `samples` (JSON): `ModelRounds` by model.
    """
    options = read_options(CompareOptions, request, [gate.option for gate in GATES])
    limits = limits_of(GATES, request, goal_of(options.goal).limits)
    held_out = calibration.read(request.file("held_out")) if request.files("held_out") else {}
    pairs = _pairs(bundle.read(request.file("original")), bundle.read(request.file("quantized")))
    found: list[ComparedModel] = []
    gates: list[Gate] = []
    samples: dict[str, ModelRounds] = {}
    for number, (original, copy) in enumerate(pairs):
        events.progress(original.name, number, len(pairs))
        pair, model, judged = _accuracy(original, copy, held_out, limits)
        gates += due_to(original.name, judged)
        if pair is not None:
            model, samples[original.name], judged = _speed(pair, model, limits)
            judged = [replace(gate, waived=options.allow_slower and not gate.passed) for gate in judged]
            gates += due_to(original.name, judged)
            model = _profiled(pair, model, request.folder) if options.profile else model
        found.append(model)
    events.progress("compare", len(pairs), len(pairs))
    file = request.folder / f"{SAMPLES}.json"
    file.write_text(json.dumps(to_json(samples)), encoding="utf-8")
    return StepFindings(CompareFindings(tuple(found), processors()), tuple(gates), {SAMPLES: file.name})


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
    original: ModelFile, copy: ModelFile, held_out: Mapping[str, np.ndarray], limits: Limits
) -> tuple[Pair | None, ComparedModel, list[Gate]]:
    """What there is to measure the speed of, if both run; how accurate the copy is; what was judged."""
    name = original.name
    model = models.load(split(original.data, name)[0], name)
    custom = facts.custom_operators(model)
    try:
        before = Runner(original.data)
        before.answer(synthetic.batch(before.inputs, input_ranges(model), accuracy.SEED))
        inputs = accuracy.choose_inputs(name, model, before, held_out)
    except CannotRun as cause:
        why = f"custom operator {', '.join(custom)}" if custom else str(cause)
        return None, ComparedModel(name, reason=f"not run: {why}"), []
    try:
        after = Runner(copy.data)
        same = (before.inputs, before.outputs) == (after.inputs, after.outputs)
        gates = [judge(IO_CHANGED, passed=same, subject=name)]
        if not same:
            return None, ComparedModel(name, reason="not run: its interface changed"), gates
        outputs = accuracy.outputs(before, after, inputs)
    except CannotRun as cause:
        gates = [judge(DOES_NOT_RUN, passed=False, subject=name, words={"cause": cause})]
        return None, ComparedModel(name, reason=f"not run: {cause}"), gates
    compared = ComparedModel(
        name,
        ran=True,
        inputs=inputs.kind,
        inputs_tried=len(inputs.batches),
        outputs=tuple(output.described() for output in outputs),
        layers=weight_errors(model, models.load(split(copy.data, name)[0], name)),
    )
    gates += [judge(DOES_NOT_RUN, passed=True, subject=name), *_judged(name, inputs, outputs, limits)]
    return Pair(name, original.data, copy.data, inputs), compared, gates


def _judged(name: str, inputs: accuracy.Inputs, outputs: Sequence[accuracy.Output], limits: Limits) -> Iterator[Gate]:
    for output in outputs:
        difference = output.by_quantizing
        subject = f"Output {difference.name!r} of {name}"
        yield judge(NOT_FINITE, passed=difference.finite, subject=subject)
        if difference.finite:
            yield judge(SILENT_ZEROS, passed=not difference.silent, subject=subject)
            if not difference.silent:
                yield from _judged_accuracy(subject, inputs, output, limits)


def _judged_accuracy(subject: str, inputs: accuracy.Inputs, output: accuracy.Output, limits: Limits) -> Iterator[Gate]:
    """The output's accuracy, if it is fit to judge by: there is something to hear, and noise disturbs it less."""
    real = inputs.kind == accuracy.HELD_OUT
    gate = REALLY_INACCURATE if real else INACCURATE
    limit, cosine, noise = limits[gate.option], output.by_quantizing.cosine, output.by_noise.cosine
    if limit is None or output.by_quantizing.peak <= numerics.AUDIBLE or (not real and noise < limit):
        return
    passed = cosine >= limit or (real and cosine >= noise)
    words = {"tried": len(inputs.batches), "kind": inputs.kind}
    yield judge(gate, cosine, limit, passed=passed, subject=subject, words=words)


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
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            found = profiling.profile(pair.original, pair.quantized, pair.inputs.batches[0], Path(scratch))
        except profiling.NoProfile as cause:
            return replace(model, profile_reason=str(cause))
    return replace(model, profile=found)
