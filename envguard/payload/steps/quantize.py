"""Quantize every model of a bundle, or a bare model, and prove that nothing else of it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from ..contract import ANYWHERE, Gate, QuantizedModel, QuantizeFindings, RecipeDocument, Request, RoadLint, StepFindings
from ..files import bundle, calibration, recipe_files
from ..files.bundle import Bundle, ModelFile
from ..gates import GateDeclaration, due_to, judge
from ..graph import facts
from ..graph import model as models
from ..graph.schema import ModelT
from ..int8 import low_rank, quantizing, retrying
from ..int8.drafting import QuantizerFailed
from ..int8.goals import BALANCED, goal_of
from ..measuring import cpu
from ..protocol import Events, Refused, read_options
from ..roads.files import Lints, judged_roads, lints_of
from ..roads.forms import forms_of, roads_of
from ..roads.unread import unread_of

QUANTIZER_FAILED = GateDeclaration("quantizer-failed", "The quantizer takes the model", "{subject}: {cause}")
MEMBER_LOST = GateDeclaration(
    "member-lost", "Members and their order as before", "The members of the bundle or their order changed."
)
METADATA_LOST = GateDeclaration(
    "metadata-lost",
    "Metadata and associated files as before",
    "The metadata or associated files of {subject} changed.",
)
IO_CHANGED = GateDeclaration(
    "io-changed", "Inputs, outputs and signatures as before", "The inputs, outputs or signatures of {subject} changed."
)
KEPT_ITS_BYTES = GateDeclaration(
    "no-op",
    "Bytes kept",
    "{subject} kept {measured:.0%} of its bytes, so quantizing it did nothing worth having.",
    unit="share",
    default=0.95,
)
NOTHING_TO_QUANTIZE = GateDeclaration("no-op", "Something to quantize", "There was nothing to quantize ({reasons}).")

Outcomes = Mapping[str, quantizing.Quantized]


@dataclass(frozen=True)
class QuantizeOptions:
    """`drop` names models to leave out, `low_rank` says whether to compress as well, `target` what the file is for.

    `recipe` is what this step handed on before: it is followed, and nothing else is tried.
    """

    drop: tuple[str, ...] = ()
    goal: str = BALANCED.name
    low_rank: bool = False
    target: str = ANYWHERE
    recipe: Optional[RecipeDocument] = None


def run(request: Request, events: Events) -> StepFindings:
    """`inputs["model"]` is a `.task` or `.tflite`, `inputs["calibration"]`, if given, an `.npz` of real inputs.

    `inputs["held_out"]` are others, on which recipes are compared; without them the goal's own is taken. After gates
    refused what it made, the models that they blame are made again by the next best recipe, and the others kept.

    Hands on `quantized`: the new file, `.task` or `.tflite` as the original. `Refused`: what cannot be read, or is
    quantized already.
    """
    original = bundle.read(request.file("model"))
    options = read_options(QuantizeOptions, request)
    source = original.without(options.drop)
    originals = lints_of(source)
    order = _order(request, options, source, originals)
    if request.refused and (options.recipe is not None or not order.again):
        return StepFindings()
    outcomes, gates = _quantized(source, order, events, _kept(request, source, order))
    if request.refused and not _is_new(request, order, outcomes):
        return StepFindings()
    _refuse_if_quantized(source, outcomes)
    if order.compress and not _compressed(outcomes):
        events.note("Nothing was compressed: no model has real inputs and one layer with a quarter of its weights.")

    target = request.folder / f"quantized{source.suffix}"
    target.write_bytes(source.replaced({name: outcome.data for name, outcome in outcomes.items()}).to_bytes())
    written = bundle.read(target)
    gates += _judged_parts(source, written)
    gates += _judged_effect(source.models(), outcomes, all(gate.passed for gate in gates))
    lints = _named_as(source, written, lints_of(written))
    gates += judged_roads(originals, lints, roads_of(order.target))
    findings = _findings(original, source.models(), outcomes, target, _recipe(order, outcomes), lints)
    final = options.recipe is not None or not any(outcome.is_int8 for outcome in outcomes.values())
    return StepFindings(findings, tuple(gates), {"quantized": target.name}, final)


def _kept(request: Request, source: Bundle, order: quantizing.Order) -> Outcomes:
    """The models that are taken over from the attempt before: no gate blames them."""
    found = request.refused[-1].findings if request.refused else None
    if not isinstance(found, QuantizeFindings):
        return {}
    copies = bundle.read(request.file("refused:quantized")).models()
    recipes = recipe_files.recipes_for([model.name for model in found.models], found.recipe)
    return {
        file.name: quantizing.Quantized(
            copy.data,
            model.passes,
            applied=recipes.get(file.name),
            left_alone=model.recipe.why,
            candidates=model.candidates,
            layer_errors=model.layer_errors,
            known=model.recipe,
        )
        for file, copy, model in zip(source.models(), copies, found.models)  # noqa: B905 - Python 3.9
        if file.name not in order.again
    }


def _is_new(request: Request, order: quantizing.Order, outcomes: Outcomes) -> bool:
    """Whether anything is in int8, by recipes that were not refused before."""
    made = _recipe(order, outcomes)
    before = [each.findings.recipe for each in request.refused if isinstance(each.findings, QuantizeFindings)]
    return made not in before and any(outcome.is_int8 for outcome in outcomes.values())


def _recipe(order: quantizing.Order, outcomes: Outcomes) -> RecipeDocument:
    applied = {name: outcome.applied for name, outcome in outcomes.items()}
    return recipe_files.document(order.goal.name, order.target, applied)


def _quantized(
    source: Bundle, order: quantizing.Order, events: Events, kept: Outcomes
) -> tuple[dict[str, quantizing.Quantized], list[Gate]]:
    found = source.models()
    outcomes: dict[str, quantizing.Quantized] = {}
    gates: list[Gate] = []
    for number, file in enumerate(found):
        if file.name in kept:
            outcomes[file.name] = kept[file.name]
            continue
        events.progress(file.name, number, len(found))

        def tried(recipe: str, name: str = file.name, number: int = number) -> None:
            events.progress(f"{name}: {recipe}", number, len(found))

        try:
            outcomes[file.name] = quantizing.quantize(file.data, file.name, order, tried)
            gates.append(judge(QUANTIZER_FAILED, passed=True, subject=file.name))
        except QuantizerFailed as cause:
            outcomes[file.name] = quantizing.Quantized(file.data, left_alone=str(cause))
            gate = judge(QUANTIZER_FAILED, passed=False, subject=file.name, words={"cause": cause})
            gates += due_to(file.name, [gate])
    events.progress("quantize", len(found), len(found))
    return outcomes, gates


def _order(request: Request, options: QuantizeOptions, source: Bundle, originals: Lints) -> quantizing.Order:
    recipe = options.recipe
    target = options.target if recipe is None else recipe.target
    names = [file.name for file in source.models()]
    known = {bundle.display_name(file.path) for file in source.models()}
    finders = (file.name for file in source.models() if _landmarks_of(bundle.display_name(file.path)) in known)
    return quantizing.Order(
        file_bytes=len(source.to_bytes()),
        arrays=_arrays(request, "calibration"),
        held_out=_arrays(request, "held_out"),
        goal=goal_of(options.goal if recipe is None else recipe.goal),
        compress=options.low_rank,
        recipes=None if recipe is None else recipe_files.recipes_for(names, recipe),
        finders=frozenset(finders),
        forms=forms_of(source, originals, roads_of(target)),
        target=target,
        again=retrying.plan(request) if request.refused else {},
        unread=unread_of(source),
    )


def _arrays(request: Request, name: str) -> Mapping[str, np.ndarray]:
    return calibration.read(request.file(name)) if request.files(name) else {}


def _landmarks_of(finder: str) -> str:
    """What MediaPipe calls the model that looks where this one, `NAME_detector`, tells it to."""
    stem, suffix, _ = finder.rpartition("_detector")
    return f"{stem}_landmarks{suffix}"


def _refuse_if_quantized(source: Bundle, outcomes: Outcomes) -> None:
    """Judged by most of the bytes: small models stay float the first time and seem worth it in the smaller file."""
    sizes = {file.name: len(file.data) for file in source.models()}
    done = [name for name, outcome in outcomes.items() if outcome.already_quantized]
    if 2 * sum(sizes[name] for name in done) > sum(sizes.values()):
        raise Refused(
            f"{source.path.name} is quantized already.",
            why=f"{done[0]}: {outcomes[done[0]].left_alone}.",
            next_step="Quantize the float model that it was made from.",
        )


def _compressed(outcomes: Outcomes) -> bool:
    reports = [report for outcome in outcomes.values() for report in outcome.passes]
    return any(report.name == low_rank.NAME and report.changed for report in reports)


def _judged_effect(found: tuple[ModelFile, ...], outcomes: Outcomes, whole: bool) -> Iterator[Gate]:
    """Whether each model got smaller, and any did; a file that is not whole has failed for another reason."""
    for file in found:
        if outcomes[file.name].is_int8:
            ratio = len(outcomes[file.name].data) / len(file.data)
            yield judge(KEPT_ITS_BYTES, ratio, KEPT_ITS_BYTES.default, subject=file.name)
    if whole:
        reasons = "; ".join(f"{name}: {outcome.left_alone}" for name, outcome in outcomes.items())
        anything = any(outcome.is_int8 for outcome in outcomes.values())
        yield judge(NOTHING_TO_QUANTIZE, passed=anything, words={"reasons": reasons})


def _judged_parts(source: Bundle, written: Bundle) -> Iterator[Gate]:
    """Whether the written file has everything in the same form; it is read back from disk to be sure."""
    same = [name for name, _ in source.members()] == [name for name, _ in written.members()]
    yield judge(MEMBER_LOST, passed=same)
    lone = source.suffix == bundle.MODEL_SUFFIX
    copies = {source.models()[0].path if lone else file.path: file.data for file in written.models()}
    for file in source.models():
        if copies.get(file.path, file.data) == file.data:
            continue
        before, files_before = quantizing.split(file.data, file.name)
        after, files_after = quantizing.split(copies[file.path], file.name)
        original, copy = models.load(before, file.name), models.load(after, file.name)
        kept = facts.metadata(original) == facts.metadata(copy) and files_before == files_after
        yield judge(METADATA_LOST, passed=kept, subject=file.name)
        yield judge(IO_CHANGED, passed=_interface(original) == _interface(copy), subject=file.name)


def _named_as(source: Bundle, written: Bundle, lints: Lints) -> Lints:
    """The lints of the written models by the names that the source's have; a bare one is named after its file."""
    if source.suffix == bundle.BUNDLE_SUFFIX:
        return lints
    return {source.models()[0].name: lints[written.models()[0].name]}


def _interface(model: ModelT) -> tuple[object, ...]:
    return facts.inputs(model), facts.outputs(model), facts.signatures(model)


def _findings(
    original: Bundle,
    found: tuple[ModelFile, ...],
    outcomes: Outcomes,
    target: Path,
    recipe: RecipeDocument,
    lints: Lints,
) -> QuantizeFindings:
    before, after = original.path.read_bytes(), target.read_bytes()
    return QuantizeFindings(
        bytes_in=len(before),
        bytes_out=len(after),
        sha256_in=hashlib.sha256(before).hexdigest(),
        sha256_out=hashlib.sha256(after).hexdigest(),
        ratio=len(after) / len(before),
        recipe=recipe,
        cpu=cpu.features(),
        dropped=tuple(sorted({file.name for file in original.models()} - set(outcomes))),
        models=tuple(_model(file, outcomes[file.name], tuple(lints.get(file.name, ()))) for file in found),
    )


def _model(file: ModelFile, outcome: quantizing.Quantized, roads: tuple[RoadLint, ...]) -> QuantizedModel:
    return QuantizedModel(
        name=file.name,
        bytes_in=len(file.data),
        bytes_out=len(outcome.data),
        quantized=outcome.is_int8,
        recipe=outcome.summary(),
        candidates=outcome.candidates,
        passes=outcome.passes,
        layer_errors=outcome.layer_errors,
        roads=roads,
    )
