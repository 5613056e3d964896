"""From one float model's bytes to the same model with int8 weights, or the reason why it stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..contract import CPU, AppliedPass, RecipeSummary, RecipeTrial
from ..files import archive
from ..graph import facts
from ..graph import model as models
from ..graph.schema import ModelT
from ..measuring import accuracy
from ..measuring.bench import Bench, Subject
from ..measuring.interpreting import CannotRun, Runner
from ..protocol import Refused
from . import left_float, recipes, searching
from .drafting import Arrays, Draft
from .goals import BALANCED, Goal
from .recipes import Recipe
from .refining import REFUSED, Again, refine
from .treatments import Form

Progress = Callable[[str], None]
"""Called with the name of each recipe that is tried."""


@dataclass(frozen=True)
class Quantized:
    """One model's outcome. `data` is the new file's bytes, or the original's where `left_alone` says why.

    `choice` is what became int8, if anything did, and `applied` the recipe that gives the same again. `known` is the
    summary of one that an earlier attempt made and that is kept.
    """

    data: bytes
    passes: tuple[AppliedPass, ...] = ()
    choice: recipes.Choice | None = None
    applied: recipes.Recipe | None = None
    left_alone: str = ""
    already_quantized: bool = False
    candidates: tuple[RecipeTrial, ...] = ()
    layer_errors: tuple[float, ...] = ()
    known: RecipeSummary | None = None

    @property
    def is_int8(self) -> bool:
        """Whether anything became int8."""
        return self.choice is not None or (self.known is not None and self.known.int8_tensors > 0)

    def summary(self) -> RecipeSummary:
        """What was done, for people and for tools."""
        if self.known is not None:
            return self.known
        if self.choice is None:
            return RecipeSummary("unchanged", self.left_alone)
        return self.choice.summary()


@dataclass(frozen=True)
class Order:
    """What to do with the models of a file.

    `file_bytes` is the size of the whole file, which decides what is worth quantizing; `arrays` are real inputs by
    model name (see `calibration`), without which weights are rounded by themselves, and `held_out` others, without
    which no recipes are tried; `recipes`, by model name, are taken instead of a search; `compress` allows large layers
    to be replaced by smaller ones (see `low_rank`). `target` is what the file is for; `forms`, by model name, say in
    which forms weights may be stored: in any if a model is not in there. Models in `again` are made anew, for gates
    refused their recipes. `unread` has, by model name, what nobody reads of the outputs (see `accuracy.Reference`).
    """

    file_bytes: int
    arrays: Arrays = field(default_factory=dict)
    held_out: Arrays = field(default_factory=dict)
    goal: Goal = BALANCED
    compress: bool = False
    recipes: Mapping[str, recipes.Recipe] | None = None
    finders: frozenset[str] = frozenset()
    target: str = CPU
    forms: Mapping[str, Form] = field(default_factory=dict)
    again: Mapping[str, Again] = field(default_factory=dict)
    unread: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def goal_for(self, name: str) -> Goal:
        """The goal for one of the models."""
        goal = self.goal.for_form(self.forms.get(name, Form.ANY))
        return goal.for_finder() if name in self.finders else goal

    def given(self, name: str) -> Recipe | None:
        """The recipe that is taken for one of the models; None if it is searched for."""
        return None if self.recipes is None else self.recipes.get(name)

    def compresses(self, name: str) -> bool:
        """Whether large layers of one of the models may be replaced by smaller ones."""
        given = self.given(name)
        return self.compress if given is None else given.compress


def quantize(data: bytes, name: str, order: Order, progress: Progress = lambda name: None) -> Quantized:
    """Quantize the weights of the model in `data`; `Refused` names it as `name` if it cannot be read.

    A model that is quantized already is returned as it came; one that has no weights worth quantizing keeps them.
    """
    flatbuffer, attached = split(data, name)
    model = models.load(flatbuffer, name)
    tensors = facts.integer_quantized(model).tensors
    if tensors:
        reason = f"{tensors} of its tensors are integers with a scale"
        return Quantized(data, left_alone=reason, already_quantized=True)
    draft = _draft(model, data, name, order)
    given, compress = order.given(name), order.compresses(name)
    errors: tuple[float, ...] = ()
    if name in order.again:
        refined = refine(draft, order.again[name], _judging_bench(draft, data, order), order.goal_for(name))
        made, candidates, errors = refined.made, refined.trials, refined.errors
        recipe = replace(refined.recipe, compress=compress)
    elif order.recipes is None:
        recipe, candidates = _found(draft, data, order, progress)
        recipe = replace(recipe, compress=compress)
        made = draft.finish(recipe)
    else:
        recipe, candidates = _fitting(given, draft), ()
        made = draft.finish(recipe)
    known = Quantized(join(made.data, attached), made.passes, None, recipe, candidates=candidates, layer_errors=errors)
    if made.choice.operators and (draft.form is Form.ANY or len(known.data) < len(data)):
        return replace(known, choice=made.choice)
    known = replace(known, left_alone=_why_float(draft, order, candidates))
    gained = draft.form is Form.ANY and len(known.data) < len(data)
    return known if gained else replace(known, data=data, passes=())


def _draft(model: ModelT, data: bytes, name: str, order: Order) -> Draft:
    return Draft.of(
        model,
        name,
        order.goal_for(name),
        file_bytes=order.file_bytes,
        arrays=order.arrays,
        compressed_from=len(data) if order.compresses(name) else None,
    )


def _why_float(draft: Draft, order: Order, candidates: Sequence[RecipeTrial]) -> str:
    refused = [trial.outcome for trial in candidates if trial.outcome.startswith(REFUSED)]
    if refused:
        return f"int8 was {refused[-1]}"
    if draft.is_sparse and draft.form is not Form.ANY:
        return "its weights are sparse, and no smaller in a form that every road takes: see --for cpu"
    if candidates:
        return "of what was tried, float16 is best"
    if order.recipes is not None:
        return "the recipe leaves every layer float"
    return left_float.reason(draft.model, draft.layers, order.file_bytes)


def _found(
    draft: Draft, data: bytes, order: Order, progress: Progress
) -> tuple[recipes.Recipe, tuple[RecipeTrial, ...]]:
    """The best recipe of those that were tried, or the goal's own where none can be measured on real inputs."""
    own = recipes.unsearched(draft.layers, order.goal_for(draft.name), order.file_bytes)
    if draft.samples is None or own.is_float:
        return own, ()
    bench = _bench(draft, data, order)
    if bench is None:
        return own, ()
    return searching.search(draft, bench, order.goal_for(draft.name), progress)


def _bench(draft: Draft, data: bytes, order: Order) -> Bench | None:
    """What recipes are measured with; None where the model does not run, or has only made-up inputs."""
    try:
        inputs = accuracy.choose_inputs(draft.name, draft.model, Runner(data), order.held_out)
        return Bench(data, inputs) if inputs.kind == accuracy.HELD_OUT else None
    except CannotRun:
        return None


def _judging_bench(draft: Draft, data: bytes, order: Order) -> Bench | None:
    """What tells whether copies would pass the gates of outputs; None where the model does not run."""
    try:
        inputs = accuracy.inputs_to_judge(draft.name, draft.model, Runner(data), order.held_out, "", len(data))
        unread = order.unread.get(draft.name, accuracy.NOTHING_UNREAD)
        return Bench(data, inputs, Subject(draft.name, draft.model, unread))
    except CannotRun:
        return None


def _fitting(recipe: recipes.Recipe | None, draft: Draft) -> recipes.Recipe:
    if recipe is not None and len(recipe.treatments) == len(draft.layers):
        return recipe
    raise Refused(
        f"The recipe does not fit the model {draft.name}.",
        why="it says nothing of that model"
        if recipe is None
        else f"it is for {len(recipe.treatments)} layers, and this has {len(draft.layers)}",
        next_step="Quantize without a recipe: one is made for this file and kept in the receipt.",
    )


def split(data: bytes, name: str) -> tuple[bytes, archive.Archive | None]:
    """A model file as its flatbuffer and the associated files (labels, vocabularies) packed behind it, if any."""
    start = archive.start_of_appended(data)
    if not start:
        return data, None
    return data[:start], archive.read(data, name)


def join(flatbuffer: bytes, attached: archive.Archive | None) -> bytes:
    """The reverse of `split`."""
    return flatbuffer if attached is None else archive.write(attached, after=flatbuffer)
