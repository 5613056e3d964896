"""`envguard run quantize`: one model or several to int8, and the proof that they still work."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    ReceiptOption,
)
from envguard.cli.selection import Selection
from envguard.cli.task import explain_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envguard.models.quantizing import Choices


class Goal(str, Enum):
    """What counts most in a quantized model; what each means is the payload's to say."""

    ACCURACY = "accuracy"
    BALANCED = "balanced"
    SIZE = "size"
    SPEED = "speed"


ModelsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL...",
        help=".task bundles, .tflite models, folders of them, or sample:face_landmarker. Of a folder all that lie in "
        "it are taken, but none in folders below and no *.int8.* of an earlier run.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Default: NAME.int8.task or .tflite beside the model. For several models a folder.",
    ),
]
DropOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Leave a model of the bundle out, such as face_blendshapes."),
]
GoalOption = Annotated[
    Goal, typer.Option(help="What counts most; size may be helped by --low-rank.", case_sensitive=False)
]
LowRankOption = Annotated[
    bool, typer.Option("--low-rank", help="Compress large layers as well: fewer weights, not only fewer bits.")
]
CalibrationOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Pictures (or .npy, .npz) like those of real use, or sample:NAME; default: faces, hands or people.",
    ),
]
RecipeOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Do what an earlier run found best, without a search: its receipt. With the same calibration the bytes "
        "are the same.",
    ),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Of several models, so many at a time. Latencies are measured, so the steps that measure always run "
        "alone and keep the others waiting; one at a time disturbs them least.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|FILE",
        help="Write a report too: FILE.html is a page with plots and pictures that needs nothing else, its JSON beside "
        "it; DIR gets report.html and report.json, or a page for each of several models; any other FILE is Markdown.",
    ),
]


def quantize(
    ctx: typer.Context,
    models: ModelsArgument,
    output: OutputOption = None,
    drop: DropOption = None,
    goal: GoalOption = Goal.BALANCED,
    low_rank: LowRankOption = False,
    calibration: CalibrationOption = None,
    recipe: RecipeOption = None,
    jobs: JobsOption = 1,
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    report: ReportOption = None,
    receipt: ReceiptOption = True,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make models int8 with float input and output, and prove against the originals that they still work.

    Of several models, one that fails does not stop the rest.

    Exit codes: 0 done; 1 the verdict is no and nothing was written; 2 bad input; 3 no environment can be had here. Of
    several models the highest; one without a yes writes nothing.
    """
    from envguard.models.model_files import is_one
    from envguard.models.quantizing import TASK, Choices
    from envguard.models.recipe import read_recipe

    choices = Choices(
        drop=tuple(drop or ()),
        goal=goal.value,
        low_rank=low_rank,
        calibration=calibration,
        recipe=None if recipe is None else read_recipe(recipe),
        session=ctx.obj,
        selection=Selection(TASK, edition, python, find_links, offline, backend, base),
        receipt=receipt,
    )
    if explain:
        _explain(choices, as_json=as_json)
    elif is_one(models):
        _quantize_one(models[0], output, choices, report, as_json=as_json)
    else:
        _quantize_several(models, output, choices, report, jobs=jobs, as_json=as_json)


def _explain(choices: Choices, *, as_json: bool) -> None:
    from envguard.cli.screen import screen

    with screen() as receive:
        explain_task(*choices.opened(receive), as_json=as_json)


def _quantize_one(named: str, output: Path | None, choices: Choices, report: Path | None, *, as_json: bool) -> None:
    from envguard.cli.screen import screen
    from envguard.models.model_files import one_model
    from envguard.models.quantizing import quantize_model
    from envguard.models.report_files import with_pages
    from envguard.models.text.run import as_markdown, as_text

    with screen() as receive:
        task, workshop = choices.opened(receive)
        (model,) = with_pages({named: one_model(named, output, workshop)}, report).values()
        document = quantize_model(model, choices, task, workshop)
    _tell(document, as_text(document), report, as_markdown(document), as_json=as_json)
    raise typer.Exit(0 if document["verdict"] == "yes" else 1)


def _quantize_several(
    named: list[str], folder: Path | None, choices: Choices, report: Path | None, *, jobs: int, as_json: bool
) -> None:
    from envguard.cli.screen import screens
    from envguard.models.model_files import several_models
    from envguard.models.quantizing import quantize_several
    from envguard.models.report_files import with_pages, write_folder_data
    from envguard.models.text.several import as_markdown, as_text, exit_code

    with screens() as receiver:
        task, workshop = choices.opened(receiver(""))
        models = with_pages(several_models(named, folder, workshop), report)
        document = quantize_several(models, folder, choices, task, workshop, receiver, at_once=jobs)
    write_folder_data(report, document)
    _tell(document, as_text(document), report, as_markdown(document), as_json=as_json)
    raise typer.Exit(exit_code(document))


def _tell(document: Mapping[str, Any], text: str, report: Path | None, markdown: str, *, as_json: bool) -> None:
    from envguard.files import write_whole
    from envguard.models.report_files import is_markdown

    if report is not None and is_markdown(report):
        write_whole(report.absolute(), markdown.encode(errors="backslashreplace"))
    typer.echo(json.dumps(document, indent=2) if as_json else text)
