"""Ask the quantize environment what a model file holds; nothing of the model runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envguard.payload.contract import InspectFindings, Json, Progress, TaskStep
from envguard.running.checking_files import check_input
from envguard.running.environments.preparing import Workshop
from envguard.running.events import StepProgress
from envguard.running.step import StepOrder, Told, run_step
from envguard.store.scratch import log_file, runs_folder, scratch_folder

ENVIRONMENT, STEP, NAME = "quantize", "steps.inspect", "inspect"


def inspect_model(source: Path, options: Mapping[str, Json], workshop: Workshop) -> InspectFindings:
    """What the inspect step finds in `source`, a `.task` or `.tflite`; raises BadInput if it is neither."""
    check_input(source)
    with (
        workshop.holding([ENVIRONMENT]) as (prepared,),
        scratch_folder(runs_folder(workshop.home)) as folder,
    ):
        result = run_step(
            workshop.workspace(prepared, folder, [source.absolute()]),
            StepOrder(TaskStep(NAME, STEP, {}, options), {"model": (source.absolute(),)}),
            environ=workshop.environ,
            log=log_file(workshop.home, NAME),
            tell=lambda event: _pass_on(event, workshop),
        )
    found = result.findings.values
    assert isinstance(found, InspectFindings)
    return found


def _pass_on(event: Told, workshop: Workshop) -> None:
    if isinstance(event, Progress):
        workshop.receive(StepProgress(NAME, event.label, event.done, event.total))
