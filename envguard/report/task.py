"""What any task did, as one document and as text: files in and out, steps, environments, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envguard.payload.contract import StepRecord, to_json
from envguard.running.pipeline import TaskResult

SCHEMA = 1


def as_document(result: TaskResult, receipt: Path | None) -> dict[str, Any]:
    """The document that `--json` prints; `receipt` is where the receipt lies."""
    record = result.record
    return {
        "schema": SCHEMA,
        "task": record.task,
        "verdict": record.verdict,
        "failures": to_json(record.failures),
        "inputs": to_json(record.inputs),
        "outputs": to_json(record.outputs),
        "receipt": None if receipt is None else str(receipt),
        "environments": to_json(record.environments),
        "steps": [_step(step) for step in record.steps],
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "name": step.name,
        "seconds": round(step.seconds, 3),
        "inputs": to_json(step.inputs),
        "outputs": to_json(step.outputs),
    }


def as_text(document: Mapping[str, Any]) -> str:
    """The same for a reader."""
    if document["failures"]:
        lines = [f"verdict: {document['verdict']}. Nothing was written."]
        lines += [f"  {each['name']} ({each['step']}): {each['message']}" for each in document["failures"]]
        return "\n".join(lines)
    lines = [
        f"{name}: {facts['path']}, {facts['bytes']:,} bytes, sha256 {facts['sha256'][:16]}…"
        for name, facts in document["outputs"].items()
    ]
    return "\n".join([*lines, *([f"receipt: {document['receipt']}"] if document["receipt"] else [])])
