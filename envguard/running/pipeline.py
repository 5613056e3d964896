"""Run a task: its steps in order, the verdict, the outputs if it is yes, and then the reports that were asked for."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.catalog.dependencies import tasks_before
from envguard.catalog.model import CommandStep, Step
from envguard.errors import EnvguardError, StepFailed
from envguard.files import FileFacts
from envguard.payload.contract import RUN, TASK, UNVERIFIED, YES, Reference, Run, StepFailure, to_json
from envguard.running.checking_files import check_places
from envguard.running.code_digest import code_digests
from envguard.running.command_step import check_script
from envguard.running.commands.tools import tool_paths
from envguard.running.commands.variables import variables_of
from envguard.running.environments.prepared import Prepared
from envguard.running.environments.preparing import Workshop
from envguard.running.publishing import publish, publish_reports
from envguard.running.recording import record_of
from envguard.running.run_files import RunFiles
from envguard.running.task_order import Alone, TaskOrder
from envguard.running.task_run import HandedOver, TaskRun
from envguard.store.scratch import runs_folder, scratch_folder

DOCUMENT = Reference(RUN, "document")


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task did: the record of the run, and what receipts are made of besides.

    `inputs` and `outputs` are the user's files by the task's names for them; there are outputs only where every gate
    was passed. `report_error` says why a report that was asked for could not be made. `before` are the results of the
    tasks that it depends on.
    """

    order: TaskOrder
    record: Run
    inputs: Mapping[str, tuple[FileFacts, ...]]
    outputs: Mapping[str, FileFacts]
    handed_over: Mapping[str, HandedOver]
    environments: tuple[Prepared, ...]
    report_error: EnvguardError | None = None
    before: tuple[TaskResult, ...] = ()

    @property
    def failures(self) -> tuple[StepFailure, ...]:
        """The gates that were not passed."""
        return self.record.failures

    @property
    def passed(self) -> bool:
        """Whether the outputs are good, or as good as the user allowed."""
        return self.record.verdict == YES or bool(self.outputs)

    @property
    def output(self) -> FileFacts | None:
        """The first output, which of most tasks is the only one; None where the verdict is no."""
        return next(iter(self.outputs.values()), None)


def run_task(order: TaskOrder, workshop: Workshop, alone: Alone = contextlib.nullcontext) -> TaskResult:
    """Run every step of a task on copies of its sources; the outputs appear whole if the verdict is yes.

    Every environment is made ready before the first step starts, so that a run does not stop half-way for want of one.
    A step that measures times runs inside `alone`, which where several runs go on at once keeps the others waiting.
    Reports are made after the verdict, whatever it is.
    """
    check_places(order)
    task = order.task
    workshop.require_allowed(task.folder, workshop.catalog.environments_of(task, order.reports))
    reporting = task.reporting_steps(order.reports)
    every = (*task.verdict_steps, *reporting)
    for step in every:
        if isinstance(step, CommandStep):
            check_script(step, task.folder)
            variables_of(step, task.folder, workshop.environ)
            tool_paths(step, workshop.environ)
    code = code_digests(every, task.folder)
    with (
        workshop.holding(workshop.catalog.environments_of(task, order.reports)) as environments,
        scratch_folder(runs_folder(workshop.home)) as folder,
    ):
        run = TaskRun(order, workshop, folder, RunFiles(folder / "files"), code)
        for name, sources in order.sources.items():
            run.files.take(Reference(TASK, name), {source.name: source for source in sources})
        run.do(task.verdict_steps, alone)
        result = _result(run, environments)
        return _with_reports(result, run, reporting) if reporting else result


def run_with_dependencies(order: TaskOrder, workshop: Workshop) -> TaskResult:
    """Run the tasks that a task depends on, and then itself; the result of the first that does not say yes is all.

    Nobody gets what the others make; those of the user's files that they need are theirs too.
    """
    check_places(order)
    before: list[TaskResult] = []
    for task in tasks_before(order.task, workshop.catalog):
        result = run_task(
            TaskOrder(task, {each: order.sources[each] for each in task.inputs}, jobs=order.jobs, fresh=order.fresh),
            workshop,
        )
        if not result.passed:
            return replace(result, before=tuple(before))
        before.append(result)
    return replace(run_task(order, workshop), before=tuple(before))


def _result(run: TaskRun, environments: Sequence[Prepared]) -> TaskResult:
    """The verdict, and unless it forbids that, the outputs in their places."""
    order = run.order
    outputs: Mapping[str, FileFacts] = {}
    wanted = run.verdict == YES or (run.verdict == UNVERIFIED and order.allow_unverified)
    if wanted and order.target is not None:
        sources = [path for paths in order.sources.values() for path in paths]
        outputs = publish(order.task.outputs, run.files, order.target, sources, order.replaceable)
    inputs = {name: _as_named(paths, run.files[Reference(TASK, name)]) for name, paths in order.sources.items()}
    return TaskResult(
        order=order,
        record=record_of(run, inputs, outputs, environments),
        inputs=inputs,
        outputs=outputs,
        handed_over=dict(run.handed_over),
        environments=tuple(environments),
    )


def _as_named(sources: Sequence[Path], copies: Sequence[FileFacts]) -> tuple[FileFacts, ...]:
    """What is known of the copies, under the paths of the files that the user named."""
    return tuple(replace(facts, path=source) for source, facts in zip(sources, copies, strict=True))


def _with_reports(result: TaskResult, run: TaskRun, steps: Sequence[Step]) -> TaskResult:
    """The same once the reports are made; what fails here does not change the verdict."""
    document = run.folder / "document.json"
    document.write_text(json.dumps(to_json(result.record)), encoding="utf-8")
    run.files.take(DOCUMENT, {document.name: document})
    try:
        for step in steps:
            run.step(step)
        publish_reports(run.order.task.reports, run.files, run.order.reports)
    except StepFailed as error:
        kept = ", ".join(str(facts.path) for facts in result.outputs.values()) or "nothing"
        report = next(iter(run.order.reports.values()))
        return replace(
            result,
            report_error=StepFailed(
                f"The report {report} could not be made.",
                why=f"{error.what} {error.why}",
                next_step=f"The run itself ended: its verdict is {result.record.verdict}, and it wrote {kept}.",
            ),
        )
    return result
