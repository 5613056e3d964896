"""The next best recipe for a model whose recipe gates refused: another that was tried, or fewer layers in int8.

Which layers hurt is measured once, each by itself. Those go back to float16 first whose int8 makes most error for the
bytes that it saves: at least one, then two, four, eight, and more where the figures of the gates ask for more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..contract import TAKEN, Gate, ModelRecipe, RecipeTrial
from ..measuring.bench import Bench
from ..measuring.interpreting import CannotRun, Runner
from .drafting import Draft, Made
from .goals import Goal
from .putting_back import RATIO, Refusal, fewer, layer_errors, room, without
from .recipes import Recipe
from .treatments import Form, Treatment

REFUSED = "refused: "
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
        return room(self.gates)

    @property
    def least(self) -> int:
        """How many more layers at least go back to float16: twice as many as the time before."""
        return int(2 ** sum(trial.outcome.startswith(REFUSED) for trial in self.trials))


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
            refusal = Refusal(refused, again.gates, bench)
            errors = errors or layer_errors(draft, refusal)
            recipe = fewer(draft, refusal, errors, again.least, keep_one=again.alone)
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
    return without(refused, [(number,) for number in by_pixels[: math.ceil(len(by_pixels) / 2)]])


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


def _measured(made: Made, bench: Bench) -> float:
    """The error of the outputs; infinite for a model that does not run."""
    try:
        return bench.error(Runner(made.data))
    except CannotRun:
        return math.inf


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
