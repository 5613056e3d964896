"""Run the original and the quantized models side by side: same interface, close outputs, no slower, and why."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from ..contract import Request
from ..files import bundle, calibration
from ..files.bundle import MODEL_SUFFIX, Bundle, ModelFile
from ..graph import facts
from ..graph import model as models
from ..graph.normalization import input_ranges
from ..graph.weight_errors import weight_errors
from ..int8.quantizing import split
from ..measuring import accuracy, benchmark, numerics, profiling, synthetic
from ..measuring.cpu import processors
from ..measuring.interpreting import CannotRun, Runner
from ..protocol import Events, Failure, Refused, Result, read_options

LEAST_COSINE = 0.7
LEAST_REAL_COSINE = 0.95
"""On real inputs. Of MediaPipe's three face models with weights rounded to 8 bits as they are, every output stays above
0.98; with 5 bits each model has one below 0.94. Made-up inputs cannot be judged so strictly: what is confidence there
is near zero, and the same 8 bits bring one output of the landmark model down to 0.84.
"""
TWO = 2
SAMPLES = "samples"

TWO_THREADS_SECONDS = 1.0
"""No gate hangs on two threads, so that a busy machine may leave the figure with a wide interval."""


Samples = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CompareOptions:
    """What a quantized model may cost, and whether to profile it.

    `max_latency_ratio` is the ratio of times on one thread to the original (None: not judged), `min_cosine` the least
    similarity of an output on made-up inputs, `min_real_cosine` that on held-out ones.
    """

    max_latency_ratio: Optional[float] = None
    min_cosine: float = LEAST_COSINE
    min_real_cosine: float = LEAST_REAL_COSINE
    profile: bool = True


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

    def load(self, model: bytes) -> benchmark.Call:
        """The model loaded anew and nothing else; the call sets the inputs too, as a first inference must."""
        runner = Runner(model)

        def first() -> None:
            runner.feed(self.inputs.batches[0])
            runner.invoke()

        return first


def run(request: Request, events: Events) -> Result:
    """Compare `inputs["quantized"]` with `inputs["original"]`, model by model.

    `inputs["held_out"]`, if given, is an `.npz` of real inputs by model name that calibration did not see; models
    that have none there are tried with made-up ones, and `inputs` says which it was. Failures: `io-changed`,
    `does-not-run`, `not-finite`, `silent-zeros`, `inaccurate`, `slower-than-limit`. A model with operators that only
    MediaPipe has is not run, and its `reason` says so.

    Hands on `samples` (JSON): by model and by what was timed (`latency`, `two_threads`, `load`, `first`), the
    milliseconds of each round, (original, quantized).
    """
    limits = read_options(CompareOptions, request)
    held_out = calibration.read(request.file("held_out")) if request.files("held_out") else {}
    pairs = _pairs(bundle.read(request.file("original")), bundle.read(request.file("quantized")))
    values: list[dict[str, Any]] = []
    failures: list[Failure] = []
    samples: dict[str, dict[str, Samples]] = {}
    for number, (original, copy) in enumerate(pairs):
        events.progress(original.name, number, len(pairs))
        found, described, failed = _accuracy(original, copy, held_out, limits)
        failures += failed
        if found is not None:
            speed, samples[original.name], slow = _speed(found, limits)
            failures += slow
            described = {**described, **speed}
            if limits.profile:
                described = {**described, **_profile(found, request.folder)}
        values.append(described)
    events.progress("compare", len(pairs), len(pairs))
    file = request.folder / f"{SAMPLES}.json"
    file.write_text(json.dumps(samples), encoding="utf-8")
    files = {SAMPLES: file.name}
    return Result({"models": values, "processors": processors(), "files": files}, tuple(failures))


def _pairs(original: Bundle, quantized: Bundle) -> list[tuple[ModelFile, ModelFile]]:
    """Each model with its original; models that were dropped on purpose have no pair."""
    if original.suffix != quantized.suffix:
        raise Refused(f"{quantized.path.name} is not of the same kind as {original.path.name}.")
    if original.suffix == MODEL_SUFFIX:
        return [(original.models()[0], quantized.models()[0])]
    originals = {file.name: file for file in original.models()}
    strangers = [file.name for file in quantized.models() if file.name not in originals]
    if strangers:
        raise Refused(f"{quantized.path.name} has a model that {original.path.name} lacks: {strangers[0]}.")
    return [(originals[file.name], file) for file in quantized.models()]


def _accuracy(
    original: ModelFile, copy: ModelFile, held_out: Mapping[str, np.ndarray], limits: CompareOptions
) -> tuple[Pair | None, dict[str, Any], list[Failure]]:
    """What there is to measure the speed of, if both run; how accurate the copy is; what is wrong with it."""
    name = original.name
    model = models.load(split(original.data, name)[0], name)
    nothing = _not_run(name)
    custom = facts.custom_operators(model)
    try:
        before = Runner(original.data)
        before.answer(synthetic.batch(before.inputs, input_ranges(model), accuracy.SEED))
        inputs = accuracy.choose_inputs(name, model, before, held_out)
    except CannotRun as cause:
        why = f"custom operator {', '.join(custom)}" if custom else str(cause)
        return None, {**nothing, "reason": f"not run: {why}"}, []
    try:
        after = Runner(copy.data)
        if (before.inputs, before.outputs) != (after.inputs, after.outputs):
            message = f"{name} has other inputs or outputs than before, by name, shape or type."
            return None, {**nothing, "reason": "not run: its interface changed"}, [Failure("io-changed", message)]
        outputs = accuracy.outputs(before, after, inputs)
    except CannotRun as cause:
        message = f"{name} ran before it was quantized, and does not now: {cause}"
        return None, {**nothing, "reason": f"not run: {cause}"}, [Failure("does-not-run", message)]
    described = {
        **nothing,
        "ran": True,
        "inputs": inputs.kind,
        "inputs_tried": len(inputs.batches),
        "outputs": [output.as_json() for output in outputs],
        "layers": weight_errors(model, models.load(split(copy.data, name)[0], name)),
    }
    return Pair(name, original.data, copy.data, inputs), described, _broken(name, inputs, outputs, limits)


def _not_run(name: str) -> dict[str, Any]:
    measured = ("inputs", "latency", "two_threads", "load", "first", "profile")
    described: dict[str, Any] = {**dict.fromkeys(measured), "name": name, "ran": False, "reason": ""}
    return {**described, "inputs_tried": 0, "outputs": [], "layers": [], "two_threads_reason": "", "profile_reason": ""}


def _broken(
    name: str, inputs: accuracy.Inputs, outputs: Sequence[accuracy.Output], limits: CompareOptions
) -> list[Failure]:
    real = inputs.kind == accuracy.HELD_OUT
    limit = limits.min_real_cosine if real else limits.min_cosine
    failures = []
    for output in outputs:
        difference = output.by_quantizing
        subject = f"Output {difference.name!r} of {name}"
        if not difference.finite:
            failures.append(Failure("not-finite", f"{subject} has NaN or infinities."))
        elif difference.silent:
            failures.append(Failure("silent-zeros", f"{subject} is all zeros where the original's is not."))
        elif difference.cosine < limit and _tells(output, limit, real=real):
            message = (
                f"{subject} has a cosine similarity of {difference.cosine:.3f} on {len(inputs.batches)} {inputs.kind}"
                f" inputs; the limit is {limit:g}."
            )
            failures.append(Failure("inaccurate", message))
    return failures


def _tells(output: accuracy.Output, limit: float, *, real: bool) -> bool:
    """Whether an output is fit to judge by: there is something to hear, and noise does not disturb it as much."""
    noise = output.by_noise.cosine
    undisturbed = output.by_quantizing.cosine < noise if real else limit <= noise
    return undisturbed and output.by_quantizing.peak > numerics.AUDIBLE


def _speed(pair: Pair, limits: CompareOptions) -> tuple[dict[str, Any], dict[str, Samples], list[Failure]]:
    """Times on one thread, which are judged, and on two; of loading, and of the first call. And every single one."""
    one = benchmark.judge(
        lambda: pair.start(pair.original, 1), lambda: pair.start(pair.quantized, 1), limits.max_latency_ratio
    )
    load, first = benchmark.compare_starts(lambda: pair.start(pair.original, 1), lambda: pair.start(pair.quantized, 1))
    described: dict[str, Any] = {
        "latency": {**one.as_json(), "threads": 1},
        "load": load.as_json(),
        "first": first.as_json(),
    }
    samples = {"latency": one.samples, "load": load.samples, "first": first.samples}
    if processors() < TWO:
        described["two_threads_reason"] = "not measured: only one processor may be used here"
    else:
        before, after = pair.start(pair.original, TWO), pair.start(pair.quantized, TWO)
        two = benchmark.compare(before, after, seconds=TWO_THREADS_SECONDS)
        described["two_threads"] = {**two.as_json(), "threads": TWO}
        samples["two_threads"] = two.samples
    return described, samples, _slow(pair.name, one, limits)


def _slow(name: str, latency: benchmark.Comparison, limits: CompareOptions) -> list[Failure]:
    if limits.max_latency_ratio is None or not latency.is_slower_than(limits.max_latency_ratio):
        return []
    message = f"{name} is {latency.in_words()}; the limit is {limits.max_latency_ratio}."
    return [Failure("slower-than-limit", message, "Run again on an idle machine to be sure.")]


def _profile(pair: Pair, folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            found = profiling.profile(pair.original, pair.quantized, pair.inputs.batches[0], Path(scratch))
        except profiling.NoProfile as cause:
            return {"profile_reason": str(cause)}
    return {"profile": found}
