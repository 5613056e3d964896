"""Put back to float16 as few layers of a refused recipe as it takes until the gates would pass.

Which layers hurt is measured once, each by itself, at the outputs that gates refuse. Those go first whose int8 makes
most error for the bytes that it saves. How many it takes is found by halving: each number that is tried is made, and
held against the gates of the step `compare` on the inputs that it uses, and against the room that other gates leave.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..contract import Gate
from ..graph import balanced_rounding
from ..graph import model as models
from ..graph.constants import add_buffer, values
from ..measuring.bench import Bench
from ..measuring.interpreting import CannotRun, Runner
from .drafting import Draft, one_in, quantized_weights
from .recipes import CONSTANT, Layer, Recipe
from .searching import SHARE
from .treatments import IN_INT8, Treatment

RATIO = "ratio"
"""The unit of gates that hold a time against another."""

SAFETY = 0.8
"""Of the squared error that a gate leaves room for, the part that is aimed at: errors do not add up exactly."""

WORST_ERROR = 1e9
"""That of a layer with which the model does not run, or gives what is no number; JSON has no infinity."""

SAMPLES = 12
"""Inputs that say what ranges channels have, for a guess of the error of one layer."""

CLOSE = 8
"""The number of layers is known well enough when it is to one in so many."""

LEFT = 1 / 2
"""Of the squared error that int8 adds, what is left at most where even float16 would not leave a gate its room."""


@dataclass(frozen=True)
class Refusal:
    """A recipe that gates refused: they, and the bench that its copies are measured with, if there is one."""

    recipe: Recipe
    gates: tuple[Gate, ...]
    bench: Bench | None

    @property
    def outputs(self) -> frozenset[int]:
        """The outputs that gates of the step `compare` name; empty where none does."""
        return frozenset() if self.bench is None else self.bench.outputs_named(self.gates)

    @property
    def room(self) -> float:
        """The part of its squared error that gates leave room for which only other steps can judge; 1 if none tells."""
        return room([gate for gate in self.gates if self.bench is None or not self.bench.outputs_named([gate])])


def room(gates: Collection[Gate]) -> float:
    """The part of a squared error that every gate leaves room for; 1 where none tells."""
    return min((_room(gate) for gate in gates), default=1.0)


def _room(gate: Gate) -> float:
    """The part of the squared error behind the gate's figure that its limit leaves room for."""
    if gate.measured is None or gate.limit is None or gate.unit == RATIO:
        return 1.0
    if gate.measured > gate.limit:
        return SAFETY * max(gate.limit / gate.measured, 0.0) ** 2
    # A cosine or a correlation: what it is off 1 grows with the square of the error.
    return SAFETY * max(1 - gate.limit, 0.0) / (1 - gate.measured) if gate.measured < gate.limit <= 1 else 1.0


def fewer(draft: Draft, refusal: Refusal, errors: Sequence[float], least: int, *, keep_one: bool) -> Recipe:
    """The recipe with at least so many more layers in float16; with `keep_one`, at least one stays in int8."""
    worst = _worst_first(draft, refusal.recipe, errors)
    most = len(worst) - keep_one
    count = min(max(least, _needed(worst, errors, room(refusal.gates))), most)
    if refusal.bench is None:
        return without(refusal.recipe, worst[:count])
    trial = _Trial(draft, refusal, refusal.bench, worst)
    failed = min(least, most) - 1
    while count < most and not trial.holds(count):
        failed, count = count, min(2 * count, most)
    while count - failed > max(1, count // CLOSE):
        middle = (failed + count) // 2
        if trial.holds(middle):
            count = middle
        else:
            failed = middle
    return without(refusal.recipe, worst[:count])


class _Trial:
    """Tries how many of the groups must go back."""

    def __init__(self, draft: Draft, refusal: Refusal, bench: Bench, worst: Sequence[Sequence[int]]) -> None:
        self._draft, self._refused, self._bench, self._worst = draft, refusal.recipe, bench, worst
        self._gates = refusal.gates
        self._most = self._allowed(refusal.room) if refusal.room < 1 else math.inf

    def _allowed(self, part: float) -> float:
        """The squared error that leaves other steps' gates that part of what the refused recipe makes.

        Low rank and float16 make an error of their own, which no layer in float16 takes away.
        """
        before, float16 = self._squared_error(0), self._squared_error(len(self._worst))
        return part * before if part * before > float16 else float16 + LEFT * (before - float16)

    def holds(self, count: int) -> bool:
        """Whether the gates of the step `compare` pass, and the others have the room that they ask for."""
        runner = self._runner(count)
        if runner is None or not self._bench.passes(runner, self._gates):
            return False
        return self._most == math.inf or self._bench.error(runner) ** 2 <= self._most

    def _squared_error(self, count: int) -> float:
        runner = self._runner(count)
        return math.inf if runner is None else self._bench.error(runner) ** 2

    def _runner(self, count: int) -> Runner | None:
        recipe = without(self._refused, self._worst[:count])
        try:
            return Runner(self._draft.finish(self._draft.as_computed(recipe), SHARE).data)
        except CannotRun:
            return None


def without(recipe: Recipe, groups: Sequence[Sequence[int]]) -> Recipe:
    """The recipe with float16 for the layers with these numbers."""
    gone = {number for group in groups for number in group}
    treatments = [Treatment.FLOAT if number in gone else each for number, each in enumerate(recipe.treatments)]
    return replace(recipe, treatments=tuple(treatments))


def _worst_first(draft: Draft, recipe: Recipe, errors: Sequence[float]) -> list[tuple[int, ...]]:
    """Groups of layers, those with most squared error per weight first; of equals, those near the outputs."""
    layers = draft.layers
    return sorted(
        _groups(layers, recipe), key=lambda group: (-(errors[group[0]] ** 2) / layers[group[0]].count, -group[0])
    )


def _needed(worst: Sequence[Sequence[int]], errors: Sequence[float], part: float) -> int:
    """How many of the groups must go back until that part of the sum of the squared errors is left."""
    squares = [errors[group[0]] ** 2 for group in worst]
    left, most = sum(squares), part * sum(squares)
    for count, square in enumerate(squares):
        if left <= most:
            return count
        left -= square
    return len(squares)


def _groups(layers: Sequence[Layer], recipe: Recipe) -> list[tuple[int, ...]]:
    """Numbers of the layers in int8, those that share their weights together."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, treatment in enumerate(recipe.treatments):
        if treatment is not Treatment.FLOAT:
            found.setdefault((layers[number].graph, layers[number].tensor), []).append(number)
    return [tuple(group) for group in found.values()]


def layer_errors(draft: Draft, refusal: Refusal) -> tuple[float, ...]:
    """The error that each layer makes by itself when it is treated as the recipe says; 0 for those in float.

    It is that of the outputs that gates refuse, or of all where they name none.
    """
    found = [0.0] * len(draft.layers)
    for group in _groups(draft.layers, refusal.recipe):
        error = _error(draft, refusal, group[0])
        for number in group:
            found[number] = min(error, WORST_ERROR)
    return tuple(found)


def _error(draft: Draft, refusal: Refusal, number: int) -> float:
    if refusal.bench is None:
        return _weight_error(draft, draft.layers[number])
    try:
        return refusal.bench.error(Runner(_alone(draft, refusal.recipe, number)), refusal.outputs)
    except CannotRun:
        return math.inf


def _alone(draft: Draft, recipe: Recipe, number: int) -> bytes:
    """The model with one layer treated; weights that are only stored in int8 are rounded, which shows the same."""
    layer, treatment = draft.layers[number], recipe.treatments[number]
    treatments = [Treatment.FLOAT] * len(draft.layers)
    treatments[number] = treatment
    if layer.kind == CONSTANT:
        return draft.finish(Recipe(tuple(treatments))).data
    if treatment in IN_INT8:
        few = draft.samples and one_in(math.ceil(len(draft.samples) / SAMPLES), draft.samples)
        model, choice, _ = draft.laid_out(Recipe(tuple(treatments)), few)
        return models.save(quantized_weights(model, choice, draft.name))
    tensor = draft.model.subgraphs[layer.graph].tensors[layer.tensor]
    before = tensor.buffer
    rounded = balanced_rounding.representable(values(draft.model, tensor), layer.channel_dimension)
    try:
        tensor.buffer = add_buffer(draft.model, rounded)
        return models.save(draft.model)
    finally:
        tensor.buffer = before
        draft.model.buffers.pop()


def _weight_error(draft: Draft, layer: Layer) -> float:
    """The error of the weights relative to their size, where the model cannot be run."""
    weights = values(draft.model, draft.model.subgraphs[layer.graph].tensors[layer.tensor]).astype("float64")
    rounded = balanced_rounding.representable(weights, layer.channel_dimension)
    size = float((weights**2).mean())
    return math.sqrt(float(((rounded - weights) ** 2).mean()) / size) if size else 0.0
