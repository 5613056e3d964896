"""The record of a run of a model task, from what its steps hand over."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from envguard import __version__
from envguard.clock import utc_now
from envguard.files import FileFacts
from envguard.payload.contract import (
    NO,
    YES,
    EnvironmentRecord,
    FileRecord,
    Findings,
    Run,
    StepRecord,
    from_json,
    tag_of,
)
from envguard.running.pipeline import TaskResult

FILES = "files"
KINDS = {tag_of(kind)[1]: kind for kind in typing.get_args(Findings)}


def record_of(result: TaskResult) -> Run:
    """The record of a run whose steps have ended."""
    return Run(
        task=result.task,
        verdict=YES if result.passed else NO,
        envguard=__version__,
        date=utc_now(),
        inputs={name: file_record(facts) for name, facts in result.inputs.items()},
        outputs={name: file_record(facts) for name, facts in result.outputs.items()},
        steps=tuple(
            StepRecord(name, "", "", step.seconds, findings=step.findings or findings_of(name, step.values))
            for name, step in result.steps.items()
        ),
        gates=tuple(gate for step in result.steps.values() for gate in step.gates),
        environments=tuple(from_json(EnvironmentRecord, prepared.as_json()) for prepared in result.environments),
    )


def file_record(facts: FileFacts) -> FileRecord:
    """A file as a record knows it."""
    return FileRecord(str(facts.path), facts.bytes, facts.sha256)


def findings_of(step: str, values: Mapping[str, Any]) -> Findings:
    """What a step found, as a value of its type."""
    found = {name: value for name, value in values.items() if name != FILES}
    return typing.cast(Findings, from_json(KINDS[step], {**found, "step": step}))
