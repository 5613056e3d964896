"""Say what a model file holds and what quantizing it would meet, without running anything."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..files import bundle
from ..graph import facts
from ..graph import model as models
from ..graph.constants import is_constant
from ..graph.schema import ModelT, operator_name, type_name
from ..int8 import drafting, quantizing, recipes
from ..int8.goals import Goal, goal_of
from ..protocol import Events, Request, Result

INTEGERS = "integers with a scale"


def run(request: Request, events: Events) -> Result:
    """`inputs["model"]` is a `.task` or `.tflite`; options: `drop`, names of models to leave out, and `goal`."""
    source = bundle.read(request.inputs["model"]).without(request.options.get("drop", ()))
    found = source.models()
    described = []
    for number, model in enumerate(found):
        events.progress(model.name, number, len(found))
        described.append(describe(model, len(source.to_bytes()), goal_of(request.options)))
    events.progress("inspect", len(found), len(found))
    return Result(
        {
            "file": source.path.name,
            "kind": "bundle" if source.suffix == bundle.BUNDLE_SUFFIX else "model",
            "bytes": source.path.stat().st_size,
            "members": [{"name": name, "bytes": size} for name, size in source.members()],
            "models": described,
        }
    )


def describe(file: bundle.ModelFile, file_bytes: int, goal: Goal) -> dict[str, Any]:
    """Everything that can be said of one model in a file of `file_bytes`; `Refused` if it is damaged."""
    flatbuffer, attached = quantizing.split(file.data, file.name)
    model = models.load(flatbuffer, file.name)
    quantized_tensors, quantized_constants = facts.integer_quantized(model)
    described = {
        "name": file.name,
        "bytes": len(file.data),
        "operators": facts.operator_counts(model),
        "custom_operators": facts.custom_operators(model),
        "weight_bytes": facts.weight_bytes(model),
        **tensor_types(model),
        **facts.interface(model),
        "signatures": facts.signatures(model),
        "metadata": {name: len(data) for name, data in facts.metadata(model).items()},
        "associated_files": [] if attached is None else [member.name for member in attached.members],
        "integer_quantized": {"tensors": quantized_tensors, "constants": quantized_constants},
    }
    if quantized_tensors:
        described = {**described, "passes": [], "recipe": None, "becomes_int8": {}}
        return {**described, "state": _state(described), "blocks": _blocks(described)}
    passes = drafting.prepare(model) + drafting.speed_up(model, goal)
    choice = recipes.choose(model, file_bytes, goal)
    described = {
        **described,
        "passes": [report.as_json() for report in passes if report.changed],
        "recipe": choice.as_json(),
        "becomes_int8": _becomes_int8(model, choice),
    }
    return {**described, "state": _state(described), "blocks": _blocks(described)}


def tensor_types(model: ModelT) -> dict[str, dict[str, int]]:
    """How many constants and how many other tensors there are of each type."""
    counts: dict[str, Counter[str]] = {"constants": Counter(), "activations": Counter()}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            which = "constants" if is_constant(model, tensor) else "activations"
            counts[which][type_name(tensor.type)] += 1
    return {which: dict(sorted(count.items())) for which, count in counts.items()}


def _becomes_int8(model: ModelT, choice: recipes.Choice) -> dict[str, dict[str, int]]:
    """By kind of operator as it is after the passes: how many there are, get int8 weights, and compute in int8."""
    dynamic = set(choice.dynamic)
    chosen = {(each.graph, each.output): each in dynamic for each in choice.operators}
    rows: dict[str, Counter[str]] = {}
    for number, graph in enumerate(model.subgraphs):
        for operator in graph.operators:
            row = rows.setdefault(operator_name(model.operatorCodes[operator.opcodeIndex]), Counter())
            place = (number, operator.outputs[0] if operator.outputs else -1)
            row.update({"operators": 1, "int8_weights": place in chosen, "int8_arithmetic": chosen.get(place, False)})
    return {name: dict(row) for name, row in sorted(rows.items()) if row["int8_weights"]}


def _state(described: dict[str, Any]) -> str:
    """How weights are stored, in a word or two."""
    if described["integer_quantized"]["tensors"]:
        return INTEGERS
    stored = described["weight_bytes"]
    floats = {name: size for name, size in stored.items() if name.startswith("FLOAT")}
    if not floats:
        return "no float weights"
    most = max(floats, key=lambda name: floats[name])
    return str(most.lower())


def _blocks(described: dict[str, Any]) -> list[dict[str, str]]:
    """What stands in the way of which step, and what happens then."""
    found = []
    for name in described["custom_operators"]:
        effect = "only MediaPipe can run it: weights are rounded without calibration, and outputs are not compared"
        found.append({"what": f"custom operator {name}", "effect": effect})
    if described["integer_quantized"]["tensors"]:
        tensors = described["integer_quantized"]["tensors"]
        effect = "it is left as it is: quantize the float model that it was made from"
        found.append({"what": f"{tensors} tensors are integers with a scale", "effect": effect})
    elif not described["becomes_int8"]:
        effect = "int8 saves nothing worth an error"
        found.append({"what": "no weights that are large enough", "effect": effect})
    return found
