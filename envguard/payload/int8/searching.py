"""Try recipes on a model: measure size, time and error of each on inputs held out for it, and take the best.

Every candidate is made for real, its weights rounded on a part of the calibration inputs to save time. One is left out
of account if its error is past the goal's limit. Of the rest the one that costs the goal least is taken; one that was
tried later must be better by more than times can be measured, so that a repeat finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..contract import RecipeTrial
from ..measuring import benchmark
from ..measuring.bench import Bench
from ..measuring.interpreting import CannotRun, Runner
from . import direct_weights, int8_convolutions, recipes
from .drafting import Draft, Made
from .goals import Goal
from .recipes import Recipe
from .treatments import Form, Treatment

SHARE = 4
"""One in so many calibration inputs is used for candidates."""

ATTEMPTS = 5
SMALLER = 0.7
"""How often fewer convolutions are tried, with that part of the squared error before: single errors tell too little."""

MARGIN = 0.03
"""By how much a candidate whose time was measured must be better than the best before it: times repeat that well."""


@dataclass(frozen=True)
class Attempt:
    """A recipe that was tried, as it was measured.

    `bytes_share` and `time` are relative to the original's; `error` is that of all outputs over the held-out inputs,
    in units of the error that noise makes (see `Bench`). `time` is None where that was too large already, or an output
    did not pass its gates.
    """

    name: str
    recipe: Recipe
    bytes: int
    bytes_share: float
    error: float
    time: benchmark.PairedTimes | None

    def trial(self, outcome: str) -> RecipeTrial:
        """The attempt for a report; `outcome` says why it was taken, or why not."""
        return RecipeTrial(
            name=self.name,
            bytes=self.bytes,
            error=self.error if math.isfinite(self.error) else None,
            time=None if self.time is None else self.time.timing(),
            outcome=outcome,
            recipe=self.recipe.written(),
        )


def search(
    draft: Draft, bench: Bench, goal: Goal, progress: Callable[[str], None]
) -> tuple[Recipe, tuple[RecipeTrial, ...]]:
    """The best recipe for the goal, and all that were tried, each with its outcome."""
    tried: list[Attempt] = []
    ways = _ways if draft.form is Form.ANY else _ways_read_directly
    for name, recipe in ways(draft, bench, goal, tried):
        if all(recipe != other.recipe for other in tried):
            progress(name)
            made = draft.finish(draft.as_computed(recipe), SHARE)
            tried.append(_measured(name, recipe, made, bench, goal, tried))
    best = _best(tried, goal)
    return best.recipe, tuple(each.trial(_outcome(each, best, goal)) for each in tried)


def _measured(name: str, recipe: Recipe, made: Made, bench: Bench, goal: Goal, tried: Sequence[Attempt]) -> Attempt:
    """A recipe's model, made and measured; its time is known if one before it computes in the same way.

    One that does not run has an infinite error.
    """
    try:
        runner = Runner(made.data)
        error = bench.error(runner)
    except CannotRun:
        runner, error = None, math.inf
    alike = (each.time for each in tried if each.time is not None and each.recipe.dynamic == recipe.dynamic)
    time = next(alike, None)
    fine = runner is not None and error <= goal.most_error
    # Where weights are read directly, any of them computes in int8, and an output that is lost makes another attempt.
    if fine and runner is not None and recipe.dynamic and goal.form is Form.ANY:
        fine = bench.passes(runner)
    if time is None and fine and runner is not None:
        time = bench.time(runner)
    return Attempt(
        name=name,
        recipe=recipe,
        bytes=len(made.data),
        bytes_share=len(made.data) / bench.bytes,
        error=error,
        time=time if fine else None,
    )


def _ways(draft: Draft, bench: Bench, goal: Goal, tried: Sequence[Attempt]) -> Iterator[tuple[str, Recipe]]:
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
    if goal.convolutions:
        yield from _with_int8_convolutions(draft, bench, goal, tried)


def _ways_read_directly(
    draft: Draft, bench: Bench, goal: Goal, tried: Sequence[Attempt]
) -> Iterator[tuple[str, Recipe]]:
    """Recipes with int8 weights that convolutions read themselves; in as many as the error leaves room for."""
    yield "float16", Recipe((Treatment.FLOAT,) * len(draft.layers))
    yield from direct_weights.ways(draft, bench, goal, lambda: tried[-1].time is not None)
    if goal.convolutions and draft.form is Form.READ_DIRECTLY:
        yield from _with_int8_convolutions(draft, bench, goal, tried)


def _with_int8_convolutions(
    draft: Draft, bench: Bench, goal: Goal, tried: Sequence[Attempt]
) -> Iterator[tuple[str, Recipe]]:
    """Int8 arithmetic in convolutions that are faster for it, in fewer of them while the error is too large."""
    before = _best(tried, goal)
    gains = _still_to_gain(draft, before.recipe, int8_convolutions.gains(draft, bench))
    budget = goal.most_error**2 - before.error**2
    for _ in range(ATTEMPTS):
        chosen = int8_convolutions.within(gains, budget)
        if not chosen:
            return
        treatments = [chosen.get(number, each) for number, each in enumerate(before.recipe.treatments)]
        yield f"int8 arithmetic in {len(chosen)} convolutions too", Recipe(tuple(treatments))
        if tried[-1].time is not None:
            return
        budget *= SMALLER


def _still_to_gain(
    draft: Draft, before: Recipe, gains: Sequence[int8_convolutions.Gain]
) -> Sequence[int8_convolutions.Gain]:
    """The gains that change the recipe, but those in layers that were kept from int8, or split, for their error."""
    if draft.form is Form.ANY:
        return gains
    whole = recipes.read_directly(draft.layers, recipes.everything(draft.layers, products=False))
    now = before.treatments
    return [each for each in gains if each.treatment is not now[each.layer] is whole.treatments[each.layer]]


def _best(tried: Sequence[Attempt], goal: Goal) -> Attempt:
    """The one with the least cost; the first if none is within the limit, as it changes least."""
    best = tried[0]
    for each in tried[1:]:
        if each.time is not None and (best.time is None or _is_better(each, best, goal)):
            best = each
    return best


def _is_better(one: Attempt, other: Attempt, goal: Goal) -> bool:
    """Whether it costs less, and by more than two measurements of time may differ if there were two."""
    needed = 1.0 if one.time is other.time else 1.0 - MARGIN
    return _cost(one, goal) < needed * _cost(other, goal)


def _cost(attempt: Attempt, goal: Goal) -> float:
    assert attempt.time is not None
    return goal.cost(attempt.bytes_share, attempt.time.middle_ratio)


def _outcome(attempt: Attempt, best: Attempt, goal: Goal) -> str:
    if attempt is best:
        return "taken"
    if attempt.time is None and attempt.error <= goal.most_error:
        return "one of its outputs is too far from the original's"
    if attempt.time is None:
        return f"its error of {attempt.error:.2f} is over the limit of {goal.most_error:g}"
    return f"its {goal.counts} is {_cost(attempt, goal) / _cost(best, goal):.2f} of what was taken"
