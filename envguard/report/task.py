"""What any task did, as one document and as text: files in and out, steps, environments, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envguard.running.pipeline import TaskResult

SCHEMA = 1


def as_document(result: TaskResult, receipt: Path | None) -> dict[str, Any]:
    """The document that `--json` prints; `receipt` is where the receipt lies."""
    return {
        "schema": SCHEMA,
        "task": result.task,
        "verdict": "yes" if result.passed else "no",
        "failures": [failure.as_json() for failure in result.failures],
        "inputs": {name: facts.as_json() for name, facts in result.inputs.items()},
        "outputs": {name: facts.as_json() for name, facts in result.outputs.items()},
        "receipt": None if receipt is None else str(receipt),
        "environments": [prepared.as_json() for prepared in result.environments],
        "steps": [_step(name, result) for name in result.steps],
    }


def _step(name: str, result: TaskResult) -> dict[str, Any]:
    handed_over = result.handed_over[name]
    return {
        "name": name,
        "seconds": round(result.steps[name].seconds, 3),
        "inputs": {each: [facts.sha256 for facts in files] for each, files in handed_over.inputs.items()},
        "outputs": {each: facts.sha256 for each, facts in handed_over.outputs.items()},
    }


def as_text(document: Mapping[str, Any]) -> str:
    """The same for a reader."""
    if document["verdict"] == "no":
        lines = ["verdict: no. Nothing was written."]
        lines += [f"  {each['name']} ({each['step']}): {each['message']}" for each in document["failures"]]
        return "\n".join(lines)
    lines = [
        f"{name}: {facts['path']}, {facts['bytes']:,} bytes, sha256 {facts['sha256'][:16]}…"
        for name, facts in document["outputs"].items()
    ]
    return "\n".join([*lines, *([f"receipt: {document['receipt']}"] if document["receipt"] else [])])
