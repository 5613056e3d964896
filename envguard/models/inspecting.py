"""Ask the quantize environment what a model file holds; nothing of the model runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envguard.running.checking_files import check_input
from envguard.running.events import StepProgress
from envguard.running.step import run_step, scratch_folder
from envguard.store.home import log_file, runs_folder

if TYPE_CHECKING:
    from envguard.running.preparing import Workshop

ENVIRONMENT, STEP, NAME = "quantize", "steps.inspect", "inspect"


def inspect_model(source: Path, options: Mapping[str, object], workshop: Workshop) -> Mapping[str, Any]:
    """What the inspect step says of `source`, a `.task` or `.tflite`; raises BadInput where it is none."""
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
    return result.values


def _pass_on(event: Mapping[str, Any], workshop: Workshop) -> None:
    if event.get("event") == "progress":
        workshop.receive(StepProgress(NAME, str(event["label"]), float(event["done"]), float(event["total"])))
