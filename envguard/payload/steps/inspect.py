"""Say what a model file holds and what quantizing it would meet, without running anything."""

from __future__ import annotations

from typing import Any

from .. import bundle, drafting, quantizing, recipes
from ..goals import Goal, goal_of
from ..graph import facts
from ..graph import model as models
from ..protocol import Events, Request, Result


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
        **facts.interface(model),
        "signatures": facts.signatures(model),
        "metadata": {name: len(data) for name, data in facts.metadata(model).items()},
        "associated_files": [] if attached is None else [member.name for member in attached.members],
        "integer_quantized": {"tensors": quantized_tensors, "constants": quantized_constants},
    }
    if quantized_tensors:
        return {**described, "passes": [], "recipe": None}
    passes = drafting.prepare(model) + drafting.speed_up(model, goal)
    return {
        **described,
        "passes": [report.as_json() for report in passes if report.changed],
        "recipe": recipes.choose(model, file_bytes, goal).as_json(),
    }
