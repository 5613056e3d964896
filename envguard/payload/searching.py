"""Try recipes on a model: measure size, time and error of each on inputs held out for it, and take the best.

Every candidate is made for real, its weights rounded on a part of the calibration inputs to save time. One is left out
of account if its error is past the goal's limit. Of the rest the one that costs the goal least is taken; one that was
tried later must be better by more than times can be measured, so that a repeat finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import benchmark, recipes, synthetic
from .accuracy import Inputs
from .drafting import Draft, Made
from .goals import Goal
from .interpreting import Runner
from .recipes import Recipe, Treatment

SHARE = 4
"""One in so many calibration inputs is used for candidates."""

MARGIN = 0.03
"""By how much a candidate must be better than the best before it: times repeat about that well."""

SECONDS = 1.0
"""For timing a candidate, if its ratio does not settle sooner."""

SEED = 20_261_122


@dataclass(frozen=True)
class Candidate:
    """A recipe that was tried.

    `bytes_share` and `time` are relative to the original's; `error` is that of all outputs over the held-out inputs,
    in units of the error that noise makes (see `Bench`). `time` is None where the error was too large already.
    `outcome` says why it was taken, or why not.
    """

    name: str
    recipe: Recipe
    bytes: int
    bytes_share: float
    error: float
    time: benchmark.Comparison | None
    outcome: str = ""

    def as_json(self) -> dict[str, Any]:
        """The candidate for a report."""
        return {
            "name": self.name,
            "bytes": self.bytes,
            "error": self.error,
            "time": None if self.time is None else self.time.as_json(),
            "outcome": self.outcome,
        }


class Bench:
    """Measures copies of one model against it.

    An error is the root of the mean square over all elements of all outputs, each output in units of what it moves by
    when noise of one grey level is added to the inputs (see `synthetic.with_noise`).
    """

    def __init__(self, original: bytes, inputs: Inputs) -> None:
        """Raises `CannotRun` if the interpreter does not take the model."""
        self.bytes = len(original)
        self._original = Runner(original)
        self._inputs = inputs.batches
        noisy = [synthetic.with_noise(batch, inputs.ranges, SEED) for batch in inputs.batches]
        self._answers = _answers(self._original, inputs.batches)
        pairs = zip(self._answers, _answers(self._original, noisy))  # noqa: B905 - Python 3.9
        self.floors = [_mean_square(*pair) for pair in pairs]

    def error(self, copy: Runner) -> float:
        """The error of a copy; infinite if it gives what is no number."""
        answers = _answers(copy, self._inputs)
        total, weight = 0.0, 0
        for exact, given, floor in zip(self._answers, answers, self.floors):  # noqa: B905 - Python 3.9
            off = _mean_square(exact, given)
            if not math.isfinite(off):
                return math.inf
            if floor > 0:  # An output that noise does not move has no unit.
                total += off / floor * exact.size
                weight += exact.size
        return math.sqrt(total / weight) if weight else 0.0

    def time(self, copy: Runner) -> benchmark.Comparison:
        """The time of a copy, in turns with the original's."""
        return benchmark.compare(self._original.invoke, copy.invoke, seconds=SECONDS)


def search(
    draft: Draft, bench: Bench, goal: Goal, progress: Callable[[str], None]
) -> tuple[Recipe, tuple[Candidate, ...]]:
    """The best recipe for the goal, and all that were tried, each with its outcome."""
    tried: list[Candidate] = []
    for name, recipe in _ways(draft, goal, tried):
        if all(recipe != other.recipe for other in tried):
            progress(name)
            tried.append(_measured(name, draft.finish(recipe, SHARE), bench, goal))
    best = _best(tried, goal)
    return best.recipe, tuple(replace(each, outcome=_outcome(each, best, goal)) for each in tried)


def _measured(name: str, made: Made, bench: Bench, goal: Goal) -> Candidate:
    runner = Runner(made.data)
    error = bench.error(runner)
    return Candidate(
        name=name,
        recipe=made.choice.recipe,
        bytes=len(made.data),
        bytes_share=len(made.data) / bench.bytes,
        error=error,
        time=bench.time(runner) if error <= goal.most_error else None,
    )


def _ways(draft: Draft, goal: Goal, tried: Sequence[Candidate]) -> Iterator[tuple[str, Recipe]]:
    """Recipes from the one that changes least on; what comes after a few depends on how those did."""

    def found_one() -> bool:
        return any(not each.recipe.is_float and each.error <= goal.most_error for each in tried)

    layers = draft.layers
    yield "float16", Recipe((Treatment.FLOAT,) * len(layers))
    plain = recipes.everything(layers, products=False)
    yield "int8 weights", plain
    if goal.products:
        yield "int8 weights, int8 matrix products", recipes.everything(layers, products=True)
    if not found_one():
        yield "int8 weights but in output layers", recipes.everything(layers, products=False, last=False)
    for part, words in ((3 / 4, "three quarters"), (1 / 2, "half"), (1 / 4, "quarter")):
        if not found_one():
            yield f"int8 weights in the first {words} of the layers", recipes.farther_part(layers, plain, part)


def _best(tried: Sequence[Candidate], goal: Goal) -> Candidate:
    """The one with the least cost; the first if none is within the limit, as it changes least."""
    best = tried[0]
    for each in tried[1:]:
        if each.time is not None and (best.time is None or _cost(each, goal) < (1 - MARGIN) * _cost(best, goal)):
            best = each
    return best


def _cost(candidate: Candidate, goal: Goal) -> float:
    assert candidate.time is not None
    return goal.cost(candidate.bytes_share, candidate.time.ratio)


def _outcome(candidate: Candidate, best: Candidate, goal: Goal) -> str:
    if candidate is best:
        return "taken"
    if candidate.time is None:
        return f"its error of {candidate.error:.2f} is over the limit of {goal.most_error:g}"
    return f"its {goal.counts} is {_cost(candidate, goal) / _cost(best, goal):.2f} of what was taken"


def _answers(runner: Runner, inputs: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Each output over all inputs."""
    answers = [runner.answer(arrays) for arrays in inputs]
    return [np.stack([each[place] for each in answers]) for place in range(len(runner.outputs))]


def _mean_square(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean((one.astype(np.float64) - other) ** 2))
