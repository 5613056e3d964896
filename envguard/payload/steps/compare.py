"""Run the original and the quantized models side by side: same interface, close outputs, no slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import benchmark, bundle, numerics, synthetic
from ..bundle import MODEL_SUFFIX, Bundle, ModelFile
from ..graph import facts
from ..graph import model as models
from ..graph.normalization import input_ranges
from ..interpreting import CannotRun, Runner
from ..protocol import Events, Failure, Refused, Request, Result
from ..quantizing import split

INPUTS_TRIED = 4
SEED = 20240
LEAST_COSINE = 0.7


@dataclass(frozen=True)
class Output:
    """How far quantizing moved one output, and how far a little noise on the input moves the original's."""

    by_quantizing: numerics.Difference
    by_noise: numerics.Difference

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON."""
        noise = {"noise_cosine": self.by_noise.cosine, "noise_snr_db": self.by_noise.snr_db}
        return {**self.by_quantizing.as_json(), **noise}


@dataclass(frozen=True)
class Limits:
    """What a quantized model may cost.

    `latency_ratio` is the ratio of medians to the original (None: not judged), `cosine` the least similarity of an
    output. That one is for models that are broken, not for those that are slightly off: the inputs are made up.
    """

    latency_ratio: float | None
    cosine: float

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Limits:
        """Read a request's options."""
        ratio = options.get("max_latency_ratio")
        return cls(None if ratio is None else float(ratio), float(options.get("min_cosine", LEAST_COSINE)))


def run(request: Request, events: Events) -> Result:
    """Compare `inputs["quantized"]` with `inputs["original"]`, model by model.

    Options: `threads` (1), `max_latency_ratio` (not judged), `min_cosine` (0.7). Failures: `io-changed`,
    `does-not-run`, `not-finite`, `silent-zeros`, `inaccurate`, `slower-than-limit`. A model with operators that only
    MediaPipe has is not run, and its `reason` says so.
    """
    limits = Limits.of(request.options)
    threads = int(request.options.get("threads", 1))
    pairs = _pairs(bundle.read(request.inputs["original"]), bundle.read(request.inputs["quantized"]))
    values: list[dict[str, Any]] = []
    failures: list[Failure] = []
    for number, (original, copy) in enumerate(pairs):
        events.progress(original.name, number, len(pairs))
        described, failed = _compare(original, copy, threads, limits)
        values.append(described)
        failures += failed
    events.progress("compare", len(pairs), len(pairs))
    return Result({"models": values, "threads": threads, "inputs_tried": INPUTS_TRIED}, tuple(failures))


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


def _compare(
    original: ModelFile, copy: ModelFile, threads: int, limits: Limits
) -> tuple[dict[str, Any], list[Failure]]:
    name = original.name
    model = models.load(split(original.data, name)[0], name)
    nothing: dict[str, Any] = {"name": name, "ran": False, "latency": None, "outputs": []}
    custom = facts.custom_operators(model)
    ranges = input_ranges(model)
    try:
        before = Runner(original.data, threads)
        before.answer(synthetic.batch(before.inputs, ranges, SEED))
    except CannotRun as cause:
        why = f"custom operator {', '.join(custom)}" if custom else str(cause)
        return {**nothing, "reason": f"not run: {why}"}, []
    try:
        after = Runner(copy.data, threads)
        if (before.inputs, before.outputs) != (after.inputs, after.outputs):
            message = f"{name} has other inputs or outputs than before, by name, shape or type."
            return {**nothing, "reason": "not run: its interface changed"}, [Failure("io-changed", message)]
        outputs = _outputs(before, after, ranges)
    except CannotRun as cause:
        message = f"{name} ran before it was quantized, and does not now: {cause}"
        return {**nothing, "reason": f"not run: {cause}"}, [Failure("does-not-run", message)]
    latency = benchmark.compare(before.invoke, after.invoke, limits.latency_ratio)
    described = {
        "name": name,
        "ran": True,
        "reason": "",
        "latency": {**latency.as_json(), "threads": threads},
        "outputs": [output.as_json() for output in outputs],
    }
    return described, _broken(name, outputs, limits) + _slow(name, latency, limits)


def _outputs(before: Runner, after: Runner, ranges: list[tuple[float, float]]) -> list[Output]:
    """Both models' outputs for the same seeded inputs, and the original's for noisy ones, output by output."""
    exact, quantized, noisy = [], [], []
    for number in range(INPUTS_TRIED):
        arrays = synthetic.batch(before.inputs, ranges, SEED + number)
        exact.append(before.answer(arrays))
        quantized.append(after.answer(arrays))
        noisy.append(before.answer(synthetic.with_noise(arrays, ranges, SEED + number)))
    return [
        Output(
            numerics.difference(port.name, [run[index] for run in exact], [run[index] for run in quantized]),
            numerics.difference(port.name, [run[index] for run in exact], [run[index] for run in noisy]),
        )
        for index, port in enumerate(before.outputs)
    ]


def _broken(name: str, outputs: list[Output], limits: Limits) -> list[Failure]:
    failures = []
    for output in outputs:
        difference = output.by_quantizing
        subject = f"Output {difference.name!r} of {name}"
        if not difference.finite:
            failures.append(Failure("not-finite", f"{subject} has NaN or infinities."))
        elif difference.silent:
            failures.append(Failure("silent-zeros", f"{subject} is all zeros where the original's is not."))
        # An output that noise disturbs as much says nothing about quantizing.
        elif difference.cosine < limits.cosine <= output.by_noise.cosine and difference.peak > numerics.AUDIBLE:
            message = f"{subject} has a cosine similarity of {difference.cosine:.3f}; the limit is {limits.cosine}."
            failures.append(Failure("inaccurate", message))
    return failures


def _slow(name: str, latency: benchmark.Comparison, limits: Limits) -> list[Failure]:
    if limits.latency_ratio is None or not latency.is_slower_than(limits.latency_ratio):
        return []
    message = f"{name} is {latency.in_words()}; the limit is {limits.latency_ratio}."
    return [Failure("slower-than-limit", message, "Run again on an idle machine to be sure.")]
