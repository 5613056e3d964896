"""What any task did, as one document and as text: files in and out, steps, environments, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.payload.contract import EnvironmentRecord, FileRecord, StepFailure, StepRecord
from envguard.running.pipeline import TaskResult

SCHEMA = 1


@dataclass(frozen=True)
class StepSummary:
    """A step, how long it took, and the SHA-256 of the files that it read and made.

    One that was `reused` is what it came to at that date.
    """

    name: str
    seconds: float
    reused: str
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class TaskDocument:
    """What `--json` prints; `receipt` is where the receipt was written, if it was."""

    schema: int
    task: str
    verdict: str
    failures: tuple[StepFailure, ...]
    inputs: Mapping[str, FileRecord]
    outputs: Mapping[str, FileRecord]
    receipt: Path | None
    environments: tuple[EnvironmentRecord, ...]
    steps: tuple[StepSummary, ...]


def task_document(result: TaskResult, receipt: Path | None) -> TaskDocument:
    """The document of a task's result."""
    record = result.record
    return TaskDocument(
        schema=SCHEMA,
        task=record.task,
        verdict=record.verdict,
        failures=record.failures,
        inputs=record.inputs,
        outputs=record.outputs,
        receipt=receipt,
        environments=record.environments,
        steps=tuple(map(_step, record.steps)),
    )


def task_text(document: TaskDocument, *, makes_files: bool = True) -> str:
    """The same for a reader; of a task that makes no files, the verdict is all."""
    receipt = [f"receipt: {document.receipt}"] if document.receipt else []
    if document.failures:
        nothing = " Nothing was written." if makes_files else ""
        lines = [f"verdict: {document.verdict}.{nothing}"]
        for each in document.failures:
            lines += [f"  {each.name} ({each.step}): {each.message}", *([] if makes_files else [f"  {each.next}"])]
        return "\n".join([*lines, *receipt])
    if not makes_files:
        took = [
            f"  {step.name}: {f'unchanged since {step.reused}' if step.reused else f'{step.seconds:.1f} s'}"
            for step in document.steps
        ]
        return "\n".join([f"verdict: {document.verdict}.", *took, *receipt])
    lines = [
        f"{name}: {file.path}, {file.bytes:,} bytes, sha256 {file.sha256[:16]}…"
        for name, file in document.outputs.items()
    ]
    return "\n".join([*lines, *receipt])


def _step(step: StepRecord) -> StepSummary:
    return StepSummary(step.name, round(step.seconds, 3), step.reused, step.inputs, step.outputs)
