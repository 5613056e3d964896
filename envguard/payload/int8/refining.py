"""The next best recipe for a model whose recipe gates refused: another that was tried, or fewer layers in int8.

Which layers hurt is measured once, each by itself. Those go back to float16 first whose int8 makes most error for the
bytes that it saves: at least one, then two, four, eight, and more where the figures of the gates ask for more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..contract import TAKEN, Gate, ModelRecipe, RecipeTrial
from ..graph import balanced_rounding
from ..graph import model as models
from ..graph.constants import add_buffer, values
from ..measuring.bench import Bench
from ..measuring.interpreting import CannotRun, Runner
from .drafting import Draft, Made, quantized_weights
from .goals import Goal
from .recipes import CONSTANT, Layer, Recipe
from .searching import SHARE
from .treatments import IN_INT8, Form, Treatment

REFUSED = "refused: "
RATIO = "ratio"
"""The unit of gates that hold a time against another."""

SAFETY = 0.8
"""Of the squared error that a gate leaves room for, the part that is aimed at: errors do not add up exactly."""

MOST_AT_LAST = 3 / 4
"""Part of the layers that go back to float16 with the last attempt, where no other model is left in int8."""

WORTHWHILE = 0.95
"""Part of its bytes above which a quantized model is not worth having."""

UNSEARCHED = "what the goal takes unmeasured"
BUT = ", but "
FEWER = BUT + "{} layers in float16"


@dataclass(frozen=True)
class Again:
    """A model to be made again, because `gates` refused its `recipe`; None where the quantizer failed.

    `trials` and `errors` are what was found of it before. `last` says that there will be no other attempt, `alone` that
    no other model of the file is in int8.
    """

    recipe: ModelRecipe | None
    bytes: int
    gates: tuple[Gate, ...]
    trials: tuple[RecipeTrial, ...] = ()
    errors: tuple[float, ...] = ()
    last: bool = False
    alone: bool = True

    @property
    def is_slow(self) -> bool:
        """Whether time is all that it was refused for."""
        return all(gate.unit == RATIO for gate in self.gates)

    @property
    def share(self) -> float:
        """The part of its squared error that every gate leaves room for; 1 where none tells."""
        return min((_room(gate) for gate in self.gates), default=1.0)


@dataclass(frozen=True)
class Refined:
    """The next best: the model, its recipe, all that was tried, and the error of each layer in int8 by itself."""

    made: Made
    recipe: Recipe
    trials: tuple[RecipeTrial, ...]
    errors: tuple[float, ...] = field(default=())


def refine(draft: Draft, again: Again, bench: Bench | None, goal: Goal) -> Refined:
    """The next best recipe, made; float16 where nothing is left to try. Without a bench, weights tell the errors."""
    in_float = Recipe((Treatment.FLOAT,) * len(draft.layers))
    if again.recipe is None:
        return Refined(draft.finish(in_float), in_float, again.trials)
    refused = Recipe.read(again.recipe, draft.name)
    errors = again.errors
    recipe = in_float
    if not again.last or again.alone:
        trial = _listed(again, goal, bench.bytes if bench else 0)
        if trial is not None and trial.recipe is not None:
            recipe = replace(Recipe.read(trial.recipe, draft.name), compress=refused.compress)
        elif again.is_slow:
            recipe = _with_fewer_pixels(draft, refused) if draft.form is Form.READ_DIRECTLY else in_float
        else:
            errors = errors or layer_errors(draft, refused, bench)
            recipe = _with_fewer(draft, again, bench, refused, errors)
    made = draft.finish(recipe)
    if bench is not None and len(made.data) > WORTHWHILE * bench.bytes:
        recipe = in_float
        made = draft.finish(recipe)
    return Refined(made, recipe, _tried(again, recipe, made, bench), errors)


def _with_fewer_pixels(draft: Draft, refused: Recipe) -> Recipe:
    """The recipe with float16 for that half of the layers that computes most pixels: rounding each costs the time."""
    tensors = [graph.tensors for graph in draft.model.subgraphs]
    numbers = [number for number, each in enumerate(refused.treatments) if each is not Treatment.FLOAT]

    def pixels(number: int) -> int:
        layer = draft.layers[number]
        return math.prod(tensors[layer.graph][layer.output].shape[:-1])

    by_pixels = sorted(numbers, key=lambda number: -pixels(number))
    return _without(refused, [(number,) for number in by_pixels[: math.ceil(len(by_pixels) / 2)]])


WORST_ERROR = 1e9
"""That of a layer with which the model does not run, or gives what is no number; JSON has no infinity."""


def layer_errors(draft: Draft, recipe: Recipe, bench: Bench | None) -> tuple[float, ...]:
    """The error that each layer makes by itself when it is treated as the recipe says; 0 for those in float."""
    found = [0.0] * len(draft.layers)
    for group in _groups(draft.layers, recipe):
        error = _error(draft, recipe, group[0], bench)
        for number in group:
            found[number] = min(error, WORST_ERROR)
    return tuple(found)


def _room(gate: Gate) -> float:
    """The part of the squared error behind the gate's figure that its limit leaves room for."""
    if gate.measured is None or gate.limit is None or gate.unit == RATIO:
        return 1.0
    if gate.measured > gate.limit:
        return SAFETY * max(gate.limit / gate.measured, 0.0) ** 2
    # A cosine or a correlation: what it is off 1 grows with the square of the error.
    return SAFETY * max(1 - gate.limit, 0.0) / (1 - gate.measured) if gate.measured < gate.limit <= 1 else 1.0


def _listed(again: Again, goal: Goal, bytes_before: int) -> RecipeTrial | None:
    """The best of what the search tried that promises to pass; None if nothing does."""
    refused = next((trial for trial in again.trials if trial.outcome == TAKEN), None)
    if refused is None or not bytes_before:
        return None
    fit = [
        (trial.time.ratio, trial)
        for trial in again.trials
        if trial.time is not None and trial.recipe is not None and not _is_settled(trial) and _is_int8(trial.recipe)
    ]
    if again.is_slow:
        before = refused.time.ratio if refused.time else math.inf
        return next((trial for ratio, trial in sorted(fit, key=lambda each: each[0]) if ratio < before), None)
    if not refused.error:
        return None
    most = again.share * refused.error**2
    good = [(time, trial) for time, trial in fit if trial.error is not None and trial.error**2 < most]
    cheapest = sorted(good, key=lambda each: goal.cost(each[1].bytes / bytes_before, each[0]))
    return cheapest[0][1] if cheapest else None


def _is_settled(trial: RecipeTrial) -> bool:
    return trial.outcome == TAKEN or trial.outcome.startswith(REFUSED)


def _is_int8(recipe: ModelRecipe) -> bool:
    return any(treatment != Treatment.FLOAT.value for _, treatment in recipe.layers)


def _with_fewer(draft: Draft, again: Again, bench: Bench | None, refused: Recipe, errors: Sequence[float]) -> Recipe:
    """The recipe with float16 for those layers whose int8 hurts most per byte that it saves.

    Rounding with care makes up for a part of the errors, so the sum of what layers make by themselves promises too
    much: there are twice as many, until the error as it is measured leaves the room that the gates ask for.
    """
    groups, layers = _groups(draft.layers, refused), draft.layers
    squares = {group: errors[group[0]] ** 2 for group in groups}
    # Of layers that are equally bad, those near the outputs go first.
    worst = sorted(groups, key=lambda group: (-squares[group] / layers[group[0]].count, -group[0]))
    left, most, needed = sum(squares.values()), again.share * sum(squares.values()), 0
    while needed < len(worst) and left > most:
        left -= squares[worst[needed]]
        needed += 1
    steps = sum(trial.outcome.startswith(REFUSED) and BUT in trial.name for trial in again.trials)
    steps += any(trial.outcome == TAKEN and BUT in trial.name for trial in again.trials)
    count, limit = max(needed, 2**steps), len(worst)
    if again.alone:
        count, limit = max(count, math.ceil(MOST_AT_LAST * limit) if again.last else 0), limit - 1
    while count < limit:
        recipe = _without(refused, worst[:count])
        if _promises(draft, again, bench, recipe):
            return recipe
        count *= 2
    return _without(refused, worst[:limit])


def _without(recipe: Recipe, groups: Sequence[Sequence[int]]) -> Recipe:
    gone = {number for group in groups for number in group}
    treatments = [Treatment.FLOAT if number in gone else each for number, each in enumerate(recipe.treatments)]
    return replace(recipe, treatments=tuple(treatments))


def _promises(draft: Draft, again: Again, bench: Bench | None, recipe: Recipe) -> bool:
    """Whether the error as the search measures it leaves the room that the gates ask for, as far as that is known."""
    before = next((trial.error for trial in again.trials if trial.outcome == TAKEN), None)
    if bench is None or not before or again.share >= 1:
        return True
    return _measured(draft.finish(recipe, SHARE), bench) ** 2 <= again.share * before**2


def _measured(made: Made, bench: Bench) -> float:
    """The error of the outputs; infinite for a model that does not run."""
    try:
        return bench.error(Runner(made.data))
    except CannotRun:
        return math.inf


def _groups(layers: Sequence[Layer], recipe: Recipe) -> list[tuple[int, ...]]:
    """Numbers of the layers in int8, those that share their weights together."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, treatment in enumerate(recipe.treatments):
        if treatment is not Treatment.FLOAT:
            found.setdefault((layers[number].graph, layers[number].tensor), []).append(number)
    return [tuple(group) for group in found.values()]


def _error(draft: Draft, recipe: Recipe, number: int, bench: Bench | None) -> float:
    if bench is None:
        return _weight_error(draft, draft.layers[number])
    try:
        return bench.error(Runner(_alone(draft, recipe, number)))
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
        model, choice, _ = draft.laid_out(Recipe(tuple(treatments)), draft.samples)
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


def _tried(again: Again, recipe: Recipe, made: Made, bench: Bench | None) -> tuple[RecipeTrial, ...]:
    """All that was tried, what was refused marked with the gates, and what is taken now."""
    why = REFUSED + ", ".join(dict.fromkeys(gate.name for gate in again.gates))
    known = again.trials or (RecipeTrial(UNSEARCHED, again.bytes, None, None, TAKEN, again.recipe),)
    before = [replace(trial, outcome=why) if trial.outcome == TAKEN else trial for trial in known]
    written = recipe.written()
    for place, trial in enumerate(before):
        if trial.recipe is not None and replace(trial.recipe, low_rank=recipe.compress) == written:
            return (*before[:place], replace(trial, outcome=TAKEN), *before[place + 1 :])
    refused = next(trial for trial in known if trial.outcome == TAKEN)
    return (*before, _trial(_name(refused, known, recipe), recipe, made, bench))


def _name(refused: RecipeTrial, known: Sequence[RecipeTrial], recipe: Recipe) -> str:
    if recipe.is_float:
        return Treatment.FLOAT.value
    base = refused.name.split(BUT)[0]
    whole = next(trial.recipe for trial in known if trial.name == base)
    before = sum(count for count, word in whole.layers if word != Treatment.FLOAT.value) if whole else 0
    return base + FEWER.format(before - sum(each is not Treatment.FLOAT for each in recipe.treatments))


def _trial(name: str, recipe: Recipe, made: Made, bench: Bench | None) -> RecipeTrial:
    error = math.inf if bench is None else _measured(made, bench)
    return RecipeTrial(name, len(made.data), error if math.isfinite(error) else None, None, TAKEN, recipe.written())
