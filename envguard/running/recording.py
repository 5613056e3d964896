"""The record of a run: what the house knows of it, as one value that documents, pages and receipts are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envguard import __version__
from envguard.clock import utc_now
from envguard.files import FileFacts
from envguard.payload.contract import (
    EnvironmentRecord,
    FailedCandidate,
    FileRecord,
    ProofRecord,
    Run,
    StepRecord,
    from_json,
)
from envguard.running.environments.prepared import Prepared
from envguard.running.task_run import TaskRun


def record_of(
    run: TaskRun,
    inputs: Mapping[str, tuple[FileFacts, ...]],
    outputs: Mapping[str, FileFacts],
    environments: Sequence[Prepared],
) -> Run:
    """The record of a run whose steps have ended; files are the user's, under the paths that the user knows."""
    task = run.order.task
    single = {name: files[0] for name, files in inputs.items() if name in task.inputs}
    several = {name: files for name, files in inputs.items() if name not in task.inputs}
    return Run(
        task=task.name,
        verdict=run.verdict,
        envguard=__version__,
        date=utc_now(),
        inputs={name: file_record(facts) for name, facts in single.items()},
        outputs={name: file_record(facts) for name, facts in outputs.items()},
        steps=tuple(_step(name, run) for name in run.results),
        gates=run.gates,
        environments=tuple(map(environment_record, environments)),
        file_sets={name: tuple(map(file_record, files)) for name, files in several.items()},
        refused=tuple(run.refused),
        receipt=str(run.order.receipt) if run.order.receipt and (outputs or not task.outputs) else None,
        allow_unverified=run.order.allow_unverified,
    )


def file_record(facts: FileFacts) -> FileRecord:
    """A file as a record knows it."""
    return FileRecord(str(facts.path), facts.bytes, facts.sha256)


def environment_record(prepared: Prepared) -> EnvironmentRecord:
    """An environment as a record knows it."""
    candidate, built = prepared.candidate, prepared.built
    python = candidate.interpreter
    return EnvironmentRecord(
        name=candidate.environment.name,
        edition=candidate.edition.name,
        python=python.version_text,
        interpreter=str(python.path),
        backend=candidate.backend,
        base=python.base.reference if python.base else None,
        lock=candidate.lock.digest,
        folder=str(built.folder),
        built_now=built.fresh,
        proof=from_json(ProofRecord, built.proof.as_json()),
        failed_before=tuple(FailedCandidate(what, why) for what, why in prepared.failed),
        frozen=candidate.stale,
    )


def _step(name: str, run: TaskRun) -> StepRecord:
    (step,) = [each for each in run.order.task.steps if each.name == name]
    handed_over, result = run.handed_over[name], run.results[name]
    return StepRecord(
        name=name,
        run=getattr(step, "run", ""),
        environment=step.environment,
        seconds=result.seconds,
        inputs={each: tuple(facts.sha256 for facts in files) for each, files in handed_over.inputs.items()},
        outputs={each: facts.sha256 for each, facts in handed_over.outputs.items()},
        findings=result.findings.values,
        reused=result.reused,
    )
