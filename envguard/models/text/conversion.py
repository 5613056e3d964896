"""What converting found, as one document and as text: the int8 model beside the float one of the same converter."""

from __future__ import annotations

from typing import Any

from envguard.models.text.run import Document, model_lines, verdict_lines, wrapped
from envguard.running.pipeline import TaskResult

SCHEMA = 1


def as_document(result: TaskResult) -> dict[str, Any]:
    """The document that `--json` prints.

    `kind` is `int8` or, without calibration, `weights`; `rows` is how many inputs calibrated; `operators` counts those
    that give int8 and float32. `float` has the bytes and hash of the float conversion, which `ratio` and all
    comparisons are to.
    """
    values = {name: step.values for name, step in result.steps.items()}
    made, compared = values["convert"], values.get("compare", {})
    found = compared.get("models") or [{"ran": False, "reason": "not compared", "latency": None, "outputs": []}]
    return {
        "schema": SCHEMA,
        "task": result.task,
        "verdict": "yes" if result.passed else "no",
        "failures": [failure.as_json() for failure in result.failures],
        "input": result.input.as_json(),
        "output": None if result.output is None else result.output.as_json(),
        "float": {"bytes": made["bytes_in"], "sha256": made["sha256_in"]},
        "ratio": made["ratio"],
        **{key: made[key] for key in ("kind", "rows", "operators", "signature", "tensorflow")},
        "models": [{**made["models"][0], **found[0]}],
        "processors": compared.get("processors"),
        "environments": [prepared.as_json() for prepared in result.environments],
        "steps": [{"name": name, "seconds": round(step.seconds, 3)} for name, step in result.steps.items()],
    }


def as_text(document: Document) -> str:
    """The same for a terminal, the verdict last."""
    lines = wrapped(f"{document['input']['path']}, by TensorFlow {document['tensorflow']}: {_kind(document)}.")
    lines += wrapped(f"The original below is its float conversion: {document['float']['bytes']:,} bytes.")
    lines += ["", *model_lines(document)]
    lines += [f"not run: {model['reason']}" for model in document["models"] if not model["ran"]]
    lines += ["", *verdict_lines(document)]
    return "\n".join(lines)


def _kind(document: Document) -> str:
    operators = document["operators"]
    if document["kind"] == "weights":
        return "weights int8, activations float (dynamic range), as nothing calibrated it"
    float_ones = f", {operators['float32']} stay float" if operators["float32"] else ""
    return (
        f"{operators['int8']} operators int8{float_ones}, calibrated with {document['rows']} inputs, float in and out"
    )
