"""Run the original and the quantized models side by side: same interface, close outputs, no slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

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


@dataclass(frozen=True)
class Limits:
    """What a quantized model may cost; None: not judged.

    `latency_ratio` is the ratio of medians to the original, `cosine` the least similarity of any output.
    """

    latency_ratio: float | None
    cosine: float | None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Limits:
        """Read a request's options."""
        ratio, cosine = options.get("max_latency_ratio"), options.get("min_cosine")
        return cls(None if ratio is None else float(ratio), None if cosine is None else float(cosine))


def run(request: Request, events: Events) -> Result:
    """Compare `inputs["quantized"]` with `inputs["original"]`, model by model.

    Options: `threads` (1), `max_latency_ratio` (not judged), `min_cosine` (not judged). Failures: `io-changed`,
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
    try:
        before = Runner(original.data, threads)
    except CannotRun as cause:
        why = f"custom operator {', '.join(custom)}" if custom else str(cause)
        return {**nothing, "reason": f"not run: {why}"}, []
    try:
        after = Runner(copy.data, threads)
        if (before.inputs, before.outputs) != (after.inputs, after.outputs):
            message = f"{name} has other inputs or outputs than before, by name, shape or type."
            return {**nothing, "reason": "not run: its interface changed"}, [Failure("io-changed", message)]
        differences = _differences(before, after, input_ranges(model))
    except CannotRun as cause:
        message = f"{name} ran before it was quantized, and does not now: {cause}"
        return {**nothing, "reason": f"not run: {cause}"}, [Failure("does-not-run", message)]
    latency = benchmark.compare(before.invoke, after.invoke, limits.latency_ratio)
    described = {
        "name": name,
        "ran": True,
        "reason": "",
        "latency": {**latency.as_json(), "threads": threads},
        "outputs": [difference.as_json() for difference in differences],
    }
    return described, _broken(name, differences, limits) + _slow(name, latency, limits)


def _differences(before: Runner, after: Runner, ranges: list[tuple[float, float]]) -> list[numerics.Difference]:
    """Both models' outputs for the same seeded inputs, compared output by output."""
    first: list[list[np.ndarray]] = []
    second: list[list[np.ndarray]] = []
    for number in range(INPUTS_TRIED):
        arrays = synthetic.batch(before.inputs, ranges, SEED + number)
        for runner, results in ((before, first), (after, second)):
            runner.feed(arrays)
            runner.invoke()
            results.append(runner.results())
    return [
        numerics.difference(port.name, [run[index] for run in first], [run[index] for run in second])
        for index, port in enumerate(before.outputs)
    ]


def _broken(name: str, differences: list[numerics.Difference], limits: Limits) -> list[Failure]:
    failures = []
    for difference in differences:
        output = f"Output {difference.name!r} of {name}"
        if not difference.finite:
            failures.append(Failure("not-finite", f"{output} has NaN or infinities."))
        elif difference.silent:
            failures.append(Failure("silent-zeros", f"{output} is all zeros where the original's is not."))
        elif limits.cosine is not None and difference.cosine < limits.cosine:
            message = f"{output} has a cosine similarity of {difference.cosine:.3f}; the limit is {limits.cosine}."
            failures.append(Failure("inaccurate", message))
    return failures


def _slow(name: str, latency: benchmark.Comparison, limits: Limits) -> list[Failure]:
    if limits.latency_ratio is None or not latency.is_slower_than(limits.latency_ratio):
        return []
    message = f"{name} is {latency.in_words()}; the limit is {limits.latency_ratio}."
    return [Failure("slower-than-limit", message, "Run again on an idle machine to be sure.")]
