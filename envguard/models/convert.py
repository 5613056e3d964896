"""`envguard run convert`: a TensorFlow model to int8 TFLite, float in and out, compared with its float conversion."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from envguard.catalog.model import Task
from envguard.cli.options import (
    AllowSlowerOption,
    AllowUnverifiedOption,
    BackendOption,
    BaseOption,
    EditionsOption,
    ExplainOption,
    FindLinksOption,
    FreshOption,
    JsonOption,
    OfflineOption,
    PythonsOption,
    ReceiptOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.sources import leave_receipt, sample_of
from envguard.cli.tasks.explain import explain_task
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.files import check_place
from envguard.models.calibration import CALIBRATION, PICTURES, calibration_files
from envguard.models.convertible import check_convertible, closed_road, pack, written_by_keras_2
from envguard.models.text.conversion import as_text
from envguard.payload.contract import ConvertDocument, convert_document, to_json
from envguard.running.checking_files import check_output
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Receiver, StepNote
from envguard.running.pipeline import TaskResult, run_task
from envguard.running.receipt import receipt_path
from envguard.running.recording import file_record
from envguard.running.task_order import TaskOrder
from envguard.store.scratch import runs_folder, scratch_folder

TASK = STEP = "convert"
KERAS_2_EDITION = "2.21-keras2"
SAMPLE = "sample:"


@dataclass(frozen=True, slots=True)
class ConvertChoices:
    """How to convert: the task's steps with their options, and whether a receipt is left."""

    task: Task
    options: Mapping[str, Mapping[str, object]]
    calibration: str | None
    receipt: bool
    allow_unverified: bool = False
    fresh: bool = False


def convert(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The folder of a SavedModel, or a Keras file (.keras, .h5).")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Default: NAME.int8.tflite beside the model."),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Inputs like those in real use: .npy, .npz with an array per input, pictures, or sample:NAME. "
            "Without it, only weights become int8.",
        ),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(metavar="LOW:HIGH", help="For pictures: the model's values for black and white, such as 0:1."),
    ] = None,
    signature: Annotated[
        str, typer.Option(metavar="NAME", help="Which of a SavedModel's signatures to convert.")
    ] = "serving_default",
    max_latency_ratio: Annotated[
        float | None,
        typer.Option(metavar="R", min=0.01, help="How slow int8 may be on this host, relative to float. Default: 1.05"),
    ] = None,
    allow_slower: AllowSlowerOption = False,
    allow_unverified: AllowUnverifiedOption = False,
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    receipt: ReceiptOption = True,
    fresh: FreshOption = False,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Convert a TensorFlow model to int8 TFLite with float input and output, and compare it with its float conversion.

    Exit codes: 0 done; 1 the verdict is no or unverified and nothing was written; 2 bad input; 3 no environment is
    available here.
    """
    catalog = catalog_of(ctx.obj)
    task = catalog.tasks[TASK]
    options: dict[str, Mapping[str, object]] = {STEP: {"signature": signature}}
    if pixels is not None:
        options[STEP] = {**options[STEP], "pixels": read_pixels(pixels)}
    limit = {} if max_latency_ratio is None else {"max_latency_ratio": max_latency_ratio}
    options["compare"] = {**limit, **({"allow_slower": True} if allow_slower else {})}
    with screen() as receive:
        editions = editions_for(model, edition or (), receive)
        selection = Selection(TASK, editions, python, find_links, offline, backend, base)
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        if explain:
            explain_task(task, workshop, as_json=as_json)
            return
        choices = ConvertChoices(task, options, calibration, receipt, allow_unverified, fresh)
        document = convert_model(model, output, choices, workshop)
    typer.echo(document_text(to_json(document)) if as_json else printable(as_text(document)))
    raise typer.Exit(0 if document.output else 1)


def convert_model(named: str, output: Path | None, choices: ConvertChoices, workshop: Workshop) -> ConvertDocument:
    """Run the task for a model and give back the document of what was found; raises EnvguardError if it cannot run.

    Bad input is refused before anything is built for it.
    """
    if output is not None:
        check_place(output.absolute())
    if named.startswith(SAMPLE):
        raise closed_road(named)
    source = Path(os.path.normpath(Path(named).expanduser().absolute()))
    check_convertible(source, named)
    target = (output or source.with_name(f"{source.name if source.is_dir() else source.stem}.int8.tflite")).absolute()
    check_output(target, source)
    if source.is_dir() and target.is_relative_to(source):
        raise BadInput(f"The output {target} lies in the input's folder.", next_step="Name another folder with -o.")
    calibration: dict[str, tuple[Path, ...]] = {}
    if choices.calibration is not None:
        pictures = "pixels" in choices.options.get(STEP, {})
        calibration[CALIBRATION] = calibration_for(choices.calibration, workshop, pictures=pictures)
    with scratch_folder(runs_folder(workshop.home)) as scratch:
        given = source
        if source.is_dir():
            given = scratch / f"{source.name}.tar"
            pack(source, given)
        order = TaskOrder(
            choices.task,
            {"input": (given,), **calibration},
            target,
            choices.options,
            receipt=receipt_path(target, choices.task) if choices.receipt else None,
            allow_unverified=choices.allow_unverified,
            fresh=choices.fresh,
        )
        result = _named_as(source, run_task(order, workshop))
    leave_receipt(order, result, sample_of({CALIBRATION: choices.calibration or ""}))
    return convert_document(result.record)


def editions_for(named: str, editions: Sequence[str], receive: Receiver) -> Sequence[str]:
    """The editions that the user chose, and the one with Keras 2 for a file that it wrote, unless one was chosen."""
    path = Path(named).expanduser()
    chosen = any("=" not in each or each.startswith(f"{TASK}=") for each in editions)
    if chosen or not path.is_file() or not written_by_keras_2(path):
        return editions
    receive(StepNote(STEP, f"{path.name} was written by Keras 2, so Keras 2 reads it (edition {KERAS_2_EDITION})."))
    return (*editions, f"{TASK}={KERAS_2_EDITION}")


def _named_as(source: Path, result: TaskResult) -> TaskResult:
    """The result with what the user named as its input: the hash of a folder is that of its tar."""
    facts = replace(result.inputs["input"][0], path=source)
    record = replace(result.record, inputs={"input": file_record(facts)})
    return replace(result, inputs={**result.inputs, "input": (facts,)}, record=record)


def calibration_for(value: str, workshop: Workshop, *, pictures: bool) -> tuple[Path, ...]:
    """The files to calibrate with.

    Raises BadInput as `calibration_files`, and for pictures unless they are expected: the model's values for their
    black and white must be known.
    """
    files = calibration_files(value, workshop)
    if not pictures and any(path.suffix.lower() in PICTURES for path in files):
        raise BadInput(
            "The model's values for black and white are unknown.",
            why="models differ, and none records them: 0 and 255 if it scales pixels itself, 0 and 1, or -1 and 1",
            next_step="Name them with --pixels 0:255, 0:1 or -1:1.",
        )
    return files


def read_pixels(value: str) -> list[float]:
    """The values for black and white, from `LOW:HIGH`."""
    try:
        low, high = (float(each) for each in value.split(":"))
    except ValueError:
        low = high = 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadInput(
            f"{value!r} is not a valid pair of values for black and white.",
            next_step="Write two numbers, as in --pixels 0:1.",
        )
    return [low, high]
