"""Quantize a model, or several, as the user has chosen: the task, its environments, runs, receipts, the document."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envguard.cli.selection import Selection
from envguard.cli.session import Session
from envguard.cli.sources import leave_receipt, sample_of

if TYPE_CHECKING:
    from envguard.catalog import Task
    from envguard.running.events import Receiver
    from envguard.running.pipeline import Alone, Overrides, TaskResult
    from envguard.running.preparing import Workshop

TASK = "quantize"

WIDER_GATES = {"max_landmark_px": 0.5, "max_blendshape": 0.012}
"""What verification lets a model pass with whose goal is time above all; units are those of the step's options."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the options say of every model of a command; plain values, so that they can go to another process."""

    drop: tuple[str, ...]
    goal: str
    low_rank: bool
    calibration: str | None
    recipe: Mapping[str, Any] | None
    session: Session
    selection: Selection
    receipt: bool

    @property
    def options(self) -> Overrides:
        """The options of the task's steps, by step."""
        given = self.recipe or {}
        goal = given["recipe"].get("goal", self.goal) if given else self.goal
        chosen = {"drop": sorted({*self.drop, *given.get("drop", ())}), "goal": goal}
        recipe = {"recipe": given["recipe"]} if given else {}
        options = {"inspect": chosen, "quantize": {**chosen, "low_rank": self.low_rank, **recipe}}
        return {**options, "verify": WIDER_GATES} if goal == "speed" else options

    def opened(self, receive: Receiver) -> tuple[Task, Workshop]:
        """The task and a workshop for its environments; raises BadInput for a choice that there is not."""
        from envguard.cli.workshop import catalog_of, open_workshop
        from envguard.models.calibration import calibrated_with

        catalog = catalog_of(self.session)
        task = catalog.tasks[TASK]
        if self.calibration is not None:
            task = calibrated_with(task, self.calibration, catalog)
        return task, open_workshop(self.session, catalog, receive, self.selection)


@dataclass(frozen=True, slots=True)
class Model:
    """A model to quantize: the user's word for it, the file that it is, where the output goes, and the page if any."""

    named: str
    source: Path
    target: Path
    page: Path | None = None


def quantize_model(
    model: Model, choices: Choices, task: Task, workshop: Workshop, alone: Alone = contextlib.nullcontext
) -> Mapping[str, Any]:
    """Run the task for a model and give back the document of what was found; raises EnvguardError where it cannot be.

    Bad input is told before anything is built for it. See `run_task` for `alone`.
    """
    from envguard.models.documents import as_document
    from envguard.models.report_files import maker_for, write_page
    from envguard.running.checking_files import check_input, check_output
    from envguard.running.pipeline import run_task

    check_input(model.source)
    check_output(model.target, model.source)
    with maker_for(model, workshop) as maker:
        keep = maker.keep if maker else {}
        result = run_task(task, {"input": model.source}, model.target, workshop, choices.options, alone, keep)
        receipt = None
        if choices.receipt:
            options = _with_recipe(choices.options, result)
            receipt = leave_receipt(task, result, model.target, options, sample_of({"input": model.named}))
        document = as_document(result)
        if maker and model.page:
            write_page(model.page, maker, document, task, choices.options, receipt)
    return document


def _with_recipe(options: Overrides, result: TaskResult) -> Overrides:
    """The options of a run under which another one does the same without a search."""
    found = result.steps["quantize"].values["recipe"]
    return {**options, "quantize": {**options["quantize"], "recipe": found}}


def quantize_several(
    models: Mapping[str, Model],
    folder: Path | None,
    choices: Choices,
    task: Task,
    workshop: Workshop,
    receiver: Callable[[str], Receiver],
    *,
    at_once: int,
) -> dict[str, Any]:
    """Run the task for every model, by name, and give back one document for all; what fails is told there.

    Environments are made ready once, before the first model, and kept; `folder`, if there is one, is made for the
    outputs. Raises EnvguardError where no model can be run at all.
    """
    from envguard.models.pages import ENVIRONMENT
    from envguard.models.text.several import as_document, failed_run
    from envguard.running.checking_files import check_output_folder
    from envguard.running.pipeline import environments_of
    from envguard.running.several import run_each
    from envguard.running.step import scratch_folder
    from envguard.store.home import runs_folder

    if folder is not None:
        check_output_folder(folder.absolute())
    jobs = {name: (model, choices) for name, model in models.items()}
    pages = [ENVIRONMENT] if any(model.page for model in models.values()) else []
    with (
        workshop.holding([*environments_of(task, workshop.catalog), *pages]),
        scratch_folder(runs_folder(workshop.home)) as scratch,
        _folder_for(folder),
    ):
        outcomes = run_each(_run, jobs, at_once=at_once, turns=scratch / "turns", receiver=receiver)
    runs = []
    for name, model in models.items():
        outcome = outcomes[name]
        runs.append(outcome.document or failed_run(TASK, model.source, outcome.error or {}))
    return as_document(TASK, runs)


def _run(job: tuple[Model, Choices], receive: Receiver, alone: Alone) -> Mapping[str, Any]:
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
    """The folder for outputs, made if it is not there, and taken away again if nothing came of it."""
    made = folder is not None and not folder.exists()
    if folder is not None and made:
        folder.mkdir()
    try:
        yield
    finally:
        if folder is not None and made:
            with contextlib.suppress(OSError):
                folder.rmdir()
