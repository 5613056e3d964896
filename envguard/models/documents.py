"""What quantizing found, as one document: the numbers of every step beside each other, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envguard.models.text.times import outside_models
from envguard.running.pipeline import TaskResult

SCHEMA = 1


def as_document(result: TaskResult) -> dict[str, Any]:
    """The document that `--json` prints and that every other report is made from.

    `ratio` is the output's bytes to the input's; `latency.ratio`, `two_threads.ratio`, `load.ratio` and `first.ratio`
    of a model are the quantized one's median time to the original's; `outside_models` tells what of a call in
    MediaPipe the models are not. `recipe` repeats what was done without a search, to the same bytes on the same `cpu`.
    """
    values = {name: step.values for name, step in result.steps.items()}
    quantized, verify = values.get("quantize", {}), _without_files(values.get("verify"))
    models = _models(quantized, values.get("compare", {}))
    return {
        "schema": SCHEMA,
        "task": result.task,
        "verdict": "yes" if result.passed else "no",
        "failures": [failure.as_json() for failure in result.failures],
        "input": result.input.as_json(),
        "output": None if result.output is None else result.output.as_json(),
        "ratio": quantized.get("ratio"),
        "dropped": quantized.get("dropped", []),
        "recipe": quantized.get("recipe"),
        "cpu": quantized.get("cpu"),
        "models": models,
        "verify": verify,
        "outside_models": outside_models(models, verify),
        "processors": values.get("compare", {}).get("processors"),
        "environments": [prepared.as_json() for prepared in result.environments],
        "steps": [{"name": name, "seconds": round(step.seconds, 3)} for name, step in result.steps.items()],
    }


def _without_files(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a step found, without the files that it handed on to others."""
    return None if found is None else {name: value for name, value in found.items() if name != "files"}


def _models(quantized: Mapping[str, Any], compared: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_name = {model["name"]: model for model in compared.get("models", [])}
    nothing = {"ran": False, "reason": "not compared", "latency": None, "outputs": []}
    return [{**model, **by_name.get(model["name"], nothing)} for model in quantized.get("models", [])]
