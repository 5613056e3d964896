"""Quantize every model of a bundle, or a bare model, and prove that nothing else of it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract import Json, Request, to_json
from ..files import bundle, calibration, recipe_files
from ..files.bundle import Bundle, ModelFile
from ..graph import facts
from ..graph import model as models
from ..graph.schema import ModelT
from ..int8 import low_rank, quantizing
from ..int8.drafting import QuantizerFailed
from ..int8.goals import BALANCED, goal_of
from ..measuring import cpu
from ..protocol import Events, Failure, Refused, Result, read_options

LEAST_SHRINKING = 0.95
"""A model whose bytes stay above this share of the original's was not quantized, whatever was called on it."""


@dataclass(frozen=True)
class QuantizeOptions:
    """`drop` names models to leave out, `low_rank` says whether to compress as well.

    `recipe` is what this step handed on before: it is followed, and nothing else is tried.
    """

    drop: tuple[str, ...] = ()
    goal: str = BALANCED.name
    low_rank: bool = False
    recipe: Json = None


def run(request: Request, events: Events) -> Result:
    """`inputs["model"]` is a `.task` or `.tflite`, `inputs["calibration"]`, if given, an `.npz` of real inputs.

    `inputs["held_out"]` are others, on which recipes are compared; without them the goal's own is taken.

    Hands on `quantized`: the new file, `.task` or `.tflite` as the original. Failures: `no-op`, `member-lost`,
    `metadata-lost`, `io-changed`, `quantizer-failed`. `Refused`: what cannot be read, or is quantized already.
    """
    original = bundle.read(request.file("model"))
    options = read_options(QuantizeOptions, request)
    source = original.without(options.drop)
    found = source.models()
    order = _order(request, options, source)
    outcomes: dict[str, quantizing.Quantized] = {}
    failures: list[Failure] = []
    for number, file in enumerate(found):
        events.progress(file.name, number, len(found))

        def tried(recipe: str, name: str = file.name, number: int = number) -> None:
            events.progress(f"{name}: {recipe}", number, len(found))

        try:
            outcomes[file.name] = quantizing.quantize(file.data, file.name, order, tried)
        except QuantizerFailed as cause:
            outcomes[file.name] = quantizing.Quantized(file.data, left_alone=str(cause))
            failures.append(Failure("quantizer-failed", f"{file.name}: {cause}"))
    events.progress("quantize", len(found), len(found))
    _refuse_if_quantized(source, outcomes)
    if order.compress and not _compressed(outcomes):
        events.note("Nothing was compressed: no model has real inputs and one layer with a quarter of its weights.")

    target = request.folder / f"quantized{source.suffix}"
    target.write_bytes(source.replaced({name: outcome.data for name, outcome in outcomes.items()}).to_bytes())
    failures += _changed_parts(source, bundle.read(target))
    failures += _without_effect(found, outcomes, bool(failures))
    return Result(_values(original, found, outcomes, target, order.goal.name), tuple(failures))


def _order(request: Request, options: QuantizeOptions, source: Bundle) -> quantizing.Order:
    recipe = None if options.recipe is None else recipe_files.read(options.recipe)
    names = [file.name for file in source.models()]
    return quantizing.Order(
        file_bytes=len(source.to_bytes()),
        arrays=_arrays(request, "calibration"),
        held_out=_arrays(request, "held_out"),
        goal=goal_of(options.goal if recipe is None else recipe.goal),
        compress=options.low_rank,
        recipes=None if recipe is None else recipe.for_models(names),
        finders=frozenset(name for name in names if _landmarks_of(name) in names),
    )


def _arrays(request: Request, name: str) -> Mapping[str, np.ndarray]:
    return calibration.read(request.file(name)) if request.files(name) else {}


def _landmarks_of(finder: str) -> str:
    """What MediaPipe calls the model that looks where this one, `NAME_detector`, tells it to."""
    stem, suffix, _ = finder.rpartition("_detector")
    return f"{stem}_landmarks{suffix}"


def _refuse_if_quantized(source: Bundle, outcomes: dict[str, quantizing.Quantized]) -> None:
    """Judged by most of the bytes: small models stay float the first time and seem worth it in the smaller file."""
    sizes = {file.name: len(file.data) for file in source.models()}
    done = [name for name, outcome in outcomes.items() if outcome.already_quantized]
    if 2 * sum(sizes[name] for name in done) > sum(sizes.values()):
        raise Refused(
            f"{source.path.name} is quantized already.",
            why=f"{done[0]}: {outcomes[done[0]].left_alone}.",
            next_step="Quantize the float model that it was made from.",
        )


def _compressed(outcomes: dict[str, quantizing.Quantized]) -> bool:
    reports = [report for outcome in outcomes.values() for report in outcome.passes]
    return any(report.name == low_rank.NAME and report.changed for report in reports)


def _without_effect(
    found: tuple[ModelFile, ...], outcomes: dict[str, quantizing.Quantized], failed: bool
) -> list[Failure]:
    failures = []
    for file in found:
        outcome = outcomes[file.name]
        ratio = len(outcome.data) / len(file.data)
        if outcome.choice is not None and ratio > LEAST_SHRINKING:
            message = f"{file.name} kept {ratio:.0%} of its bytes, so quantizing it did nothing worth having."
            failures.append(Failure("no-op", message))
    if not failed and not any(outcome.choice for outcome in outcomes.values()):
        reasons = "; ".join(f"{name}: {outcome.left_alone}" for name, outcome in outcomes.items())
        failures.append(Failure("no-op", f"There was nothing to quantize ({reasons})."))
    return failures


def _changed_parts(source: Bundle, written: Bundle) -> list[Failure]:
    """What the written file lacks or has in another form; it is read back from disk to be sure."""
    failures = []
    if [name for name, _ in source.members()] != [name for name, _ in written.members()]:
        failures.append(Failure("member-lost", "The members of the bundle or their order changed."))
    copies = dict(zip((file.name for file in source.models()), written.models()))  # noqa: B905 - Python 3.9
    for file in source.models():
        if file.name not in copies or copies[file.name].data == file.data:
            continue
        before, files_before = quantizing.split(file.data, file.name)
        after, files_after = quantizing.split(copies[file.name].data, file.name)
        original, copy = models.load(before, file.name), models.load(after, file.name)
        if facts.metadata(original) != facts.metadata(copy) or files_before != files_after:
            failures.append(Failure("metadata-lost", f"The metadata or associated files of {file.name} changed."))
        if _interface(original) != _interface(copy):
            failures.append(Failure("io-changed", f"The inputs, outputs or signatures of {file.name} changed."))
    return failures


def _interface(model: ModelT) -> tuple[object, ...]:
    return facts.inputs(model), facts.outputs(model), facts.signatures(model)


def _values(
    original: Bundle, found: tuple[ModelFile, ...], outcomes: dict[str, quantizing.Quantized], target: Any, goal: str
) -> dict[str, Any]:
    before, after = original.path.read_bytes(), target.read_bytes()
    return {
        "files": {"quantized": target.name},
        "bytes_in": len(before),
        "bytes_out": len(after),
        "sha256_in": hashlib.sha256(before).hexdigest(),
        "sha256_out": hashlib.sha256(after).hexdigest(),
        "ratio": len(after) / len(before),
        "recipe": recipe_files.as_json(goal, {name: outcome.applied for name, outcome in outcomes.items()}),
        "cpu": cpu.features(),
        "dropped": sorted({file.name for file in original.models()} - set(outcomes)),
        "models": [
            {
                "name": file.name,
                "bytes_in": len(file.data),
                "bytes_out": len(outcomes[file.name].data),
                "quantized": outcomes[file.name].choice is not None,
                "recipe": to_json(outcomes[file.name].summary()),
                "candidates": [candidate.as_json() for candidate in outcomes[file.name].candidates],
                "passes": to_json(outcomes[file.name].passes),
            }
            for file in found
        ],
    }
