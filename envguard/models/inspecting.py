"""Ask the quantize environment what a model file holds; nothing of the model runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envguard.models.record import findings_of
from envguard.payload.contract import InspectFindings
from envguard.running.checking_files import check_input
from envguard.running.events import StepProgress
from envguard.running.preparing import Workshop
from envguard.running.step import run_step, scratch_folder
from envguard.store.home import log_file, runs_folder

ENVIRONMENT, STEP, NAME = "quantize", "steps.inspect", "inspect"


def inspect_model(source: Path, options: Mapping[str, object], workshop: Workshop) -> InspectFindings:
    """What the inspect step finds in `source`, a `.task` or `.tflite`; raises BadInput if it is neither."""
    check_input(source)
    with (
        workshop.holding([ENVIRONMENT]) as (prepared,),
        scratch_folder(runs_folder(workshop.home)) as folder,
    ):
        result = run_step(
            workshop.workspace(prepared, folder, [source.absolute()]),
            STEP,
            name=NAME,
            inputs={"model": (source.absolute(),)},
            options=options,
            findings={},
            environ=workshop.environ,
            log=log_file(workshop.home, NAME),
            on_event=lambda event: _pass_on(event, workshop),
        )
    found = findings_of(NAME, result.values)
    assert isinstance(found, InspectFindings)
    return found


def _pass_on(event: Mapping[str, Any], workshop: Workshop) -> None:
    if event.get("event") == "progress":
        workshop.receive(StepProgress(NAME, str(event["label"]), float(event["done"]), float(event["total"])))
