"""Say what a model file holds and what quantizing it would meet, without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..contract import (
    ANYWHERE,
    InspectedModel,
    InspectFindings,
    IntegerTensors,
    Member,
    Obstacle,
    Request,
    StepFindings,
)
from ..files import bundle
from ..graph import facts
from ..graph import model as models
from ..graph.constants import is_constant
from ..graph.normalization import declared_ranges
from ..graph.schema import ModelT, operator_name, type_name
from ..int8 import drafting, left_float, quantizing, recipes
from ..int8.goals import BALANCED, Goal, goal_of
from ..protocol import Events, read_options
from ..roads.files import lints_of
from ..roads.forms import forms_of, roads_of

INTEGERS = "integers with a scale"


@dataclass(frozen=True)
class InspectOptions:
    """Names of models to leave out, and what quantizing is to go for: its goal, and the roads that the file is for."""

    drop: tuple[str, ...] = ()
    goal: str = BALANCED.name
    target: str = ANYWHERE


def run(request: Request, events: Events) -> StepFindings:
    """`model` is a `.task` or `.tflite`."""
    options = read_options(InspectOptions, request)
    source = bundle.read(request.file("model")).without(options.drop)
    found = source.models()
    lints = lints_of(source)
    forms = forms_of(source, lints, roads_of(options.target))
    described = []
    for number, model in enumerate(found):
        events.progress(model.name, number, len(found))
        found_out = describe(model, len(source.to_bytes()), goal_of(options.goal).for_form(forms[model.name]))
        described.append(replace(found_out, roads=lints[model.name]))
    events.progress("inspect", len(found), len(found))
    return StepFindings(
        InspectFindings(
            file=source.path.name,
            kind="bundle" if source.suffix == bundle.BUNDLE_SUFFIX else "model",
            bytes=source.path.stat().st_size,
            members=tuple(Member(name, size) for name, size in source.members()),
            models=tuple(described),
        )
    )


def describe(file: bundle.ModelFile, file_bytes: int, goal: Goal) -> InspectedModel:
    """Everything that can be said of one model in a file of `file_bytes`; `Refused` if it is damaged."""
    flatbuffer, attached = quantizing.split(file.data, file.name)
    model = models.load(flatbuffer, file.name)
    integers, custom, weight_bytes = (
        facts.integer_quantized(model),
        facts.custom_operators(model),
        facts.weight_bytes(model),
    )
    described = InspectedModel(
        name=file.name,
        bytes=len(file.data),
        operators=facts.operator_counts(model),
        custom_operators=tuple(custom),
        weight_bytes=weight_bytes,
        constants=_types(model, constants=True),
        activations=_types(model, constants=False),
        inputs=facts.inputs(model),
        outputs=facts.outputs(model),
        signatures=facts.signatures(model),
        metadata={name: len(data) for name, data in facts.metadata(model).items()},
        associated_files=() if attached is None else tuple(member.name for member in attached.members),
        integer_quantized=integers,
        passes=(),
        recipe=None,
        becomes_int8={},
        state=_state(integers, weight_bytes),
        blocks=(*map(_custom_operator, custom), *_integer_tensors(integers)),
        input_ranges=declared_ranges(model),
    )
    return described if integers.tensors else _with_prospects(described, model, file_bytes, goal)


def _with_prospects(described: InspectedModel, model: ModelT, file_bytes: int, goal: Goal) -> InspectedModel:
    """The same with what quantizing would make of the model, which is changed on the way."""
    passes = drafting.prepare(model) + drafting.speed_up(model, goal)
    choice = recipes.choose(model, file_bytes, goal)
    becomes = _becomes_int8(model, choice)
    nothing = Obstacle(left_float.reason(model, choice.layers, file_bytes), "every constant stays float")
    return replace(
        described,
        passes=tuple(report for report in passes if report.changed),
        recipe=choice.summary(),
        becomes_int8=becomes,
        blocks=(*described.blocks, *(() if becomes else (nothing,))),
    )


def _types(model: ModelT, *, constants: bool) -> dict[str, int]:
    """How many constants, or other tensors, there are of each type."""
    counts = Counter(
        type_name(tensor.type)
        for graph in model.subgraphs
        for tensor in graph.tensors
        if is_constant(model, tensor) == constants
    )
    return dict(sorted(counts.items()))


def _becomes_int8(model: ModelT, choice: recipes.Choice) -> dict[str, dict[str, int]]:
    """By kind of operator as it is after the passes: how many there are, get int8 weights, and compute in int8."""
    dynamic = set(choice.dynamic)
    chosen = {(each.graph, each.output): each in dynamic for each in choice.operators}
    rows: dict[str, Counter[str]] = {}
    for number, graph in enumerate(model.subgraphs):
        for operator in graph.operators:
            row = rows.setdefault(operator_name(model.operatorCodes[operator.opcodeIndex]), Counter())
            place = (number, operator.outputs[0] if operator.outputs else -1)
            row.update(operators=1, int8_weights=int(place in chosen), int8_arithmetic=int(chosen.get(place, False)))
    return {name: dict(row) for name, row in sorted(rows.items()) if row["int8_weights"]}


def _state(integers: IntegerTensors, stored: Mapping[str, int]) -> str:
    """How weights are stored, in a word or two."""
    if integers.tensors:
        return INTEGERS
    floats = {name: size for name, size in stored.items() if name.startswith("FLOAT")}
    if not floats:
        return "no float weights"
    return max(floats, key=lambda name: floats[name]).lower()


def _custom_operator(name: str) -> Obstacle:
    effect = "only MediaPipe can run it: weights are rounded without calibration, and outputs are not compared"
    return Obstacle(f"custom operator {name}", effect)


def _integer_tensors(integers: IntegerTensors) -> tuple[Obstacle, ...]:
    if not integers.tensors:
        return ()
    effect = "it is left as it is: quantize the float model that it was made from"
    return (Obstacle(f"{integers.tensors} tensors are integers with a scale", effect),)
