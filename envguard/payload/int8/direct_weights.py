"""Which convolutions get int8 weights that they read themselves, so that a GPU's delegate takes the model.

On a CPU such a convolution computes in int8, its input rounded as it comes. What that does to the answers is measured
layer by layer; those that do most harm for the bytes that they save go back to float16, and large ones, which are dear
in float16, read what is above zero and what is below in two goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..measuring.bench import Bench
from . import input_rounding, recipes
from .drafting import Draft
from .goals import Goal
from .input_rounding import InputErrors
from .recipes import Layer, Recipe
from .treatments import Form, Treatment

BUDGETS = (2.5, 1.75, 1.25, 0.9, 0.6)
"""Of the squared error that a goal allows, what inputs may have by themselves in the mixtures that are tried.

Errors of single layers tell too little to foresee that of all: rounding weights with care makes up for some of it, and
channels are scaled otherwise for other layers.
"""

SPLIT_OPERATORS = 8000.0
SPLIT_PRODUCTS = 0.02
"""What a split costs beside bytes in the file: for its operators, and for each product that it computes twice.

With these, layers that see few pixels are split, and layers that see many are rather stored in float16.
"""

BUT = "int8 weights read directly, but {} layers in float16"


@dataclass(frozen=True)
class _Step:
    """What may be done to one layer: how, the squared error that it takes away, and what it costs."""

    layer: int
    treatment: Treatment
    gain: float
    cost: float


def ways(draft: Draft, bench: Bench, goal: Goal, fits: Callable[[], bool]) -> Iterator[tuple[str, Recipe]]:
    """Recipes from the one with most int8 on, until the last one `fits`, as it was measured."""
    whole = recipes.read_directly(draft.layers, recipes.everything(draft.layers, products=False))
    yield "int8 weights read directly", whole
    if fits() or whole.is_float:
        return
    steps, errors = _steps(draft, whole, bench)
    count = 0
    for budget in BUDGETS:
        # An output may be too far off where the error of all is not: more each time, whatever the budget says.
        count = max(_needed(steps, errors, budget * goal.most_error**2), 2 * count, 1)
        recipe = _with(whole, steps[:count])
        yield BUT.format(_floats(recipe) - _floats(whole)), recipe
        if fits() or count >= len(steps):
            return


def _floats(recipe: Recipe) -> int:
    return sum(each is Treatment.FLOAT for each in recipe.treatments)


def _steps(draft: Draft, whole: Recipe, bench: Bench) -> tuple[list[_Step], float]:
    """What may be done, what gains most for its cost first, and the sum of the squared errors if nothing is.

    Errors are those before channels are scaled alike: what that takes from the inputs' errors, it adds to the weights'.
    """
    chosen = recipes.Choice(draft.layers, whole).dynamic
    found = input_rounding.errors(draft.model, {layer.output for layer in chosen}, bench)
    numbers = {layer.output: number for number, layer in enumerate(draft.layers)}
    tensors = draft.model.subgraphs[0].tensors
    steps = [
        _step(
            numbers[output],
            draft.layers[numbers[output]],
            errors,
            math.prod(tensors[output].shape[:-1]),
            draft.form,
        )
        for output, errors in found.items()
    ]
    return sorted(steps, key=_worth, reverse=True), sum(errors.whole**2 for errors in found.values())


def _step(number: int, layer: Layer, errors: InputErrors, pixels: int, form: Form) -> _Step:
    """The better one of float16 and a split; `pixels` are those of the layer's output."""
    in_float = _Step(number, Treatment.FLOAT, errors.whole**2, float(layer.count))
    cost = SPLIT_OPERATORS + SPLIT_PRODUCTS * layer.count * pixels
    split = _Step(number, Treatment.SPLIT, errors.whole**2 - errors.split**2, cost)
    may_split = form is Form.READ_DIRECTLY and layer.kind == recipes.CONVOLUTION
    return max(in_float, split, key=_worth) if may_split else in_float


def _worth(step: _Step) -> float:
    return step.gain / max(step.cost, 1.0)


def _needed(steps: list[_Step], errors: float, budget: float) -> int:
    """How many of the steps keep the sum of squared errors within the budget."""
    for count, step in enumerate(steps):
        if errors <= budget:
            return count
        errors -= step.gain
    return len(steps)


def _with(whole: Recipe, steps: list[_Step]) -> Recipe:
    treatments = list(whole.treatments)
    for step in steps:
        treatments[step.layer] = step.treatment
    return replace(whole, treatments=tuple(treatments))
