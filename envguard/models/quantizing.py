"""Quantize a model, or several, as the user has chosen: the task, its environments, runs, receipts, the document."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.catalog.model import Task
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.session import Session
from envguard.cli.sources import leave_receipt, sample_of
from envguard.cli.workshop import open_workshop
from envguard.models.calibration import CALIBRATION, calibration_files
from envguard.models.model_files import Model
from envguard.models.recipe import GivenRecipe
from envguard.models.report_files import PAGE_REPORT, write_data
from envguard.models.roads import WEB_STEP, road_drivers, road_options, steps_for
from envguard.payload.contract import (
    ANYWHERE,
    CPU,
    FailedRun,
    QuantizeDocument,
    QuantizeFindings,
    Run,
    SeveralDocument,
    WebFindings,
    quantize_document,
    several_document,
    to_json,
)
from envguard.running.checking_files import check_input, check_output, check_output_folder
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Receiver
from envguard.running.pipeline import run_task
from envguard.running.receipt import receipt_path
from envguard.running.several import RunError, run_each
from envguard.running.task_order import Alone, Overrides, TaskOrder
from envguard.store.scratch import runs_folder, scratch_folder

TASK = "quantize"


@dataclass(frozen=True, slots=True)
class QuantizeChoices:
    """What the options say of every model of a command; plain values, so that they can go to another process."""

    drop: tuple[str, ...]
    goal: str
    low_rank: bool
    calibration: str | None
    recipe: GivenRecipe | None
    session: Session
    selection: Selection
    receipt: bool
    allow_slower: bool = False
    allow_unverified: bool = False
    target: str = ANYWHERE
    roads: tuple[str, ...] = (CPU,)
    fresh: bool = False

    @property
    def options(self) -> Overrides:
        """The options of the task's steps, by step."""
        given = self.recipe or GivenRecipe({})
        goal = str(given.recipe.get("goal", self.goal))
        drop = sorted({*self.drop, *given.drop})
        recipe = {"recipe": given.recipe} if self.recipe else {}
        return {
            # Not what quantizing is to go for: with another goal, what a file holds is known already.
            "inspect": {"drop": drop},
            "quantize": {"drop": drop, "goal": goal, "target": self.target, "low_rank": self.low_rank, **recipe},
            "compare": {"goal": goal, "target": self.target, **({"allow_slower": True} if self.allow_slower else {})},
            **road_options(self.roads, goal, self.session.environ),
        }

    def opened(self, receive: Receiver) -> tuple[Task, Workshop]:
        """The task and a workshop for its environments; raises BadInput if a choice is unknown."""
        catalog = catalog_of(self.session)
        task = catalog.tasks[TASK].including(steps_for(self.roads))
        return task, open_workshop(self.session, catalog, receive, self.selection)


@dataclass(frozen=True, slots=True)
class Batch:
    """Several models by name, the folder for their outputs if they share one, and how many run at a time."""

    models: Mapping[str, Model]
    folder: Path | None
    at_once: int


def quantize_model(
    model: Model, choices: QuantizeChoices, task: Task, workshop: Workshop, alone: Alone = contextlib.nullcontext
) -> QuantizeDocument:
    """Run the task for a model and give back the document of what was found; raises EnvguardError if it cannot run.

    Bad input is refused before anything is built for it. See `run_task` for `alone`.
    """
    check_input(model.source)
    check_output(model.target, model.source)
    sources: dict[str, tuple[Path, ...]] = {"input": (model.source,)}
    named = {"input": model.named}
    if choices.calibration is not None:
        sources[CALIBRATION] = calibration_files(choices.calibration, workshop)
        named[CALIBRATION] = choices.calibration
    order = TaskOrder(
        task,
        sources,
        model.target,
        options=choices.options,
        reports={PAGE_REPORT: model.page} if model.page else {},
        receipt=receipt_path(model.target, task) if choices.receipt else None,
        allow_unverified=choices.allow_unverified,
        fresh=choices.fresh,
        drivers=road_drivers(choices.roads),
    )
    result = run_task(order, workshop, alone)
    leave_receipt(replace(order, options=_as_found(choices.options, result.record)), result, sample_of(named))
    document = quantize_document(result.record)
    if model.page:
        write_data(model.page, document)
    if result.report_error:
        raise result.report_error
    return document


def _as_found(options: Overrides, record: Run) -> Overrides:
    """The options of a run under which another one does the same without a search, and the browser's version."""
    found, web = record.found(QuantizeFindings), record.found(WebFindings)
    if web is not None:
        options = {**options, WEB_STEP: {**options[WEB_STEP], "version": web.version}}
    return {**options, TASK: {**options[TASK], "recipe": to_json(found.recipe)}} if found else options


def quantize_several(
    batch: Batch, choices: QuantizeChoices, task: Task, workshop: Workshop, receiver: Callable[[str], Receiver]
) -> SeveralDocument:
    """Run the task for every model and give back one document for all, in which failures are told.

    Environments are made ready once, before the first model, and kept; the folder, if there is one, is made for the
    outputs. Raises EnvguardError if no model can be run at all.
    """
    if batch.folder is not None:
        check_output_folder(batch.folder.absolute())
    jobs = {name: (model, choices) for name, model in batch.models.items()}
    reports = [PAGE_REPORT] if any(model.page for model in batch.models.values()) else []
    with (
        workshop.holding(workshop.catalog.environments_of(task, reports)),
        scratch_folder(runs_folder(workshop.home)) as scratch,
        _folder_for(batch.folder),
    ):
        outcomes = run_each(_run, jobs, at_once=batch.at_once, lock=scratch / "measuring.lock", receiver=receiver)
    runs = ((model, outcomes[name]) for name, model in batch.models.items())
    return several_document(
        TASK, tuple(failed_run(model.source, run) if isinstance(run, RunError) else run for model, run in runs)
    )


def failed_run(source: Path, error: RunError) -> FailedRun:
    """The document of a model that could not be run to a verdict."""
    return FailedRun(TASK, {"path": str(source)}, error.what, error.why, error.next_step, error.exit_code)


def _run(job: tuple[Model, QuantizeChoices], receive: Receiver, alone: Alone) -> QuantizeDocument:
    model, choices = job
    try:
        task, workshop = choices.opened(receive)
        return quantize_model(model, choices, task, workshop, alone)
    except Exception as error:
        if choices.session.debug:
            traceback.print_exception(error)
        raise


@contextlib.contextmanager
def _folder_for(folder: Path | None) -> Iterator[None]:
    """The folder for outputs, made if it does not exist, and removed again if nothing came of it."""
    made = folder is not None and not folder.exists()
    if folder is not None and made:
        folder.mkdir()
    try:
        yield
    finally:
        if folder is not None and made:
            with contextlib.suppress(OSError):
                folder.rmdir()
