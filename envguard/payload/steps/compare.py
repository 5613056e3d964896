"""Run the original and the quantized models side by side: same interface, close outputs, no slower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import benchmark, bundle, numerics, synthetic
from ..bundle import ModelFile
from ..graph import facts
from ..graph import model as models
from ..graph.normalization import input_ranges
from ..interpreting import CannotRun, Runner
from ..protocol import Events, Failure, Request, Result
from ..quantizing import split

INPUTS_TRIED = 4
SEED = 20240


@dataclass(frozen=True)
class Limits:
    """What a quantized model may cost: `latency_ratio` of medians over the original's; None: not judged."""

    latency_ratio: float | None
    cosine: float


def run(request: Request, events: Events) -> Result:
    """`inputs["model"]` is the original; the quantized file is the one that the step `quantize` left in the folder.

    Options: `threads` (1), `max_latency_ratio` (none), `min_cosine` (0.0).
    """
    limit = request.options.get("max_latency_ratio")
    limits = Limits(None if limit is None else float(limit), float(request.options.get("min_cosine", 0.0)))
    threads = int(request.options.get("threads", 1))
    originals = {file.name: file for file in bundle.read(request.inputs["model"]).models()}
    written = bundle.read(request.folder / request.results["quantize"]["file"])
    names = [entry["name"] for entry in request.results["quantize"]["models"]]
    values: list[dict[str, Any]] = []
    failures: list[Failure] = []
    for number, copy in enumerate(written.models()):
        events.progress(names[number], number, len(names))
        described, failed = _compare(originals[names[number]], copy, threads, limits)
        values.append(described)
        failures += failed
    events.progress("compare", len(names), len(names))
    return Result({"models": values, "threads": threads, "inputs_tried": INPUTS_TRIED}, tuple(failures))


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
    first, second = [], []
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
        elif difference.cosine < limits.cosine:
            message = f"{output} has a cosine similarity of {difference.cosine:.3f}; the limit is {limits.cosine}."
            failures.append(Failure("inaccurate", message))
    return failures


def _slow(name: str, latency: benchmark.Comparison, limits: Limits) -> list[Failure]:
    if limits.latency_ratio is None or not latency.is_slower_than(limits.latency_ratio):
        return []
    message = f"{name} is {latency.in_words()}; the limit is {limits.latency_ratio}."
    return [Failure("slower-than-limit", message, "Run again on an idle machine to be sure.")]
