"""`envguard run tune`: what are MediaPipe's runtime options worth on this bundle, before its weights are touched?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from envguard.cli.options import (
    BackendOption,
    BaseOption,
    EditionsOption,
    ExplainOption,
    FindLinksOption,
    JsonOption,
    OfflineOption,
    PythonsOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.sources import named_source
from envguard.cli.tasks.explain import explain_task
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.files import check_place, write_output
from envguard.models.calibration import PICTURES, files_for
from envguard.models.text.tuning import as_markdown, as_text
from envguard.models.text.tuning_code import code
from envguard.payload.contract import Run, TuneDocument, TuneFindings, to_json, tune_document
from envguard.running.checking_files import check_input, check_output
from envguard.running.pipeline import run_task
from envguard.running.task_order import Overrides, TaskOrder

TASK = STEP = "tune"
IMAGES = "images"
ENVIRONMENT = "verify"


def tune(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Argument(help="A .task bundle for faces, hands, poses or gestures, or sample:face_landmarker.")
    ],
    images: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Pictures like those in real use, or sample:NAME. Default: faces, hands or people.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.1,
            max=600,
            help="How long to time each setting; longer narrows the intervals. Default: 1.5",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Keep every measurement as JSON, round by round."),
    ] = None,
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as Markdown.")] = None,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what MediaPipe's runtime options gain and what they cost in detections; print the lines to paste.

    Each setting is timed in turns with the default, on frames of the pictures that move as in front of a camera.

    Exit codes: 0 done; 2 bad input; 3 no environment is available here.
    """
    catalog = catalog_of(ctx.obj)
    task = catalog.tasks[TASK]
    options: Overrides = {} if seconds is None else {STEP: {"seconds": seconds}}
    with screen() as receive:
        selection = Selection(ENVIRONMENT, edition, python, find_links, offline, backend, base)
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        if explain:
            explain_task(task, workshop, as_json=as_json)
            return
        for path in (output, report):
            if path is not None:
                check_place(path.absolute())
        source = named_source(model, workshop)
        check_input(source)
        _check_outputs(source, output, report)
        target = None if output is None else output.absolute()
        sources: dict[str, tuple[Path, ...]] = {"input": (source,)}
        if images is not None:
            sources[IMAGES] = files_for("measure on", images, PICTURES, workshop)
        document = document_of(run_task(TaskOrder(task, sources, target, options, fresh=True), workshop).record)
    if report is not None:
        write_output(report.absolute(), as_markdown(document).encode(errors="backslashreplace"))
    typer.echo(document_text(to_json(document)) if as_json else as_text(document))


def document_of(record: Run) -> TuneDocument:
    """The document of a run, with the lines that set what is advised, and the delegate."""
    found = record.found(TuneFindings)
    return tune_document(record, code(found.kind, found.advice) if found else {})


def _check_outputs(source: Path, output: Path | None, report: Path | None) -> None:
    """Refuse files that would be written over the model or over each other, or where none can be made."""
    for path in (output, report):
        if path is not None:
            check_output(path.absolute(), source)
    if output is not None and report is not None and os.path.realpath(output) == os.path.realpath(report):
        raise BadInput(f"The report {report} is the output itself.", next_step="Name another file.")
