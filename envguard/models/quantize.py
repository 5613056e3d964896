"""`envguard run quantize`: one model or several to int8, and the proof that they still work."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

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
from envguard.cli.screen import screen, screens
from envguard.cli.selection import Selection
from envguard.cli.tasks.explain import explain_task
from envguard.files import check_place
from envguard.models.model_files import is_one, one_model, several_models
from envguard.models.quantizing import TASK, Batch, QuantizeChoices, quantize_model, quantize_several
from envguard.models.recipe import read_recipe
from envguard.models.report_files import with_pages, write_folder_data, write_markdown
from envguard.models.roads import RoadsOption, roads_to_run
from envguard.models.text import quantization, several
from envguard.payload.contract import FailedRun, SeveralDocument, to_json


class GoalName(str, Enum):
    """What counts most in a quantized model; the payload defines what each means."""

    ACCURACY = "accuracy"
    BALANCED = "balanced"
    SIZE = "size"
    SPEED = "speed"


class TargetName(str, Enum):
    """What the file is for; the payload defines which roads each means."""

    ANYWHERE = "anywhere"
    CPU = "cpu"
    GPU = "gpu"
    WEB = "web"


ModelsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL...",
        help=".task bundles, .tflite models, folders of them, or sample:face_landmarker. From a folder, every model is "
        "taken except *.int8.*, the outputs of earlier runs; subfolders are not searched.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="The output; for several models, a folder. Default: NAME.int8.task or .tflite beside each model.",
    ),
]
DropOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Leave out a model of the bundle, such as face_blendshapes."),
]
GoalOption = Annotated[
    GoalName,
    typer.Option(help="What matters most. For the smallest file, add --low-rank to size.", case_sensitive=False),
]
ForOption = Annotated[
    TargetName,
    typer.Option(
        "--for",
        help="Where the file must load and give the same answers: on every road that takes the original, or on one "
        "alone. On the CPU alone, it is the most accurate.",
        case_sensitive=False,
    ),
]
LowRankOption = Annotated[
    bool, typer.Option("--low-rank", help="Also compress large layers: fewer weights, not only fewer bits.")
]
CalibrationOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Pictures (or .npy, .npz) like those in real use, or sample:NAME. Default: faces, hands or people.",
    ),
]
RecipeOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Repeat what an earlier run found best, without a search. FILE is its receipt; the same calibration gives "
        "the same bytes.",
    ),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="How many models run at a time. Steps that measure latency always run alone and keep the others waiting; "
        "one at a time disturbs them least.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|FILE",
        help="Also write a report. FILE.html is one self-contained page with plots and pictures, its JSON beside it; "
        "DIR gets report.html and report.json, or a page for each model; any other FILE is Markdown.",
    ),
]


def quantize(
    ctx: typer.Context,
    models: ModelsArgument,
    output: OutputOption = None,
    drop: DropOption = None,
    target: ForOption = TargetName.ANYWHERE,
    goal: GoalOption = GoalName.BALANCED,
    low_rank: LowRankOption = False,
    calibration: CalibrationOption = None,
    recipe: RecipeOption = None,
    roads: RoadsOption = None,
    jobs: JobsOption = 1,
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    report: ReportOption = None,
    receipt: ReceiptOption = True,
    fresh: FreshOption = False,
    allow_slower: AllowSlowerOption = False,
    allow_unverified: AllowUnverifiedOption = False,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make models int8 with float input and output, and prove against the originals that they still work.

    If one of several models fails, the rest still run.

    Exit codes: 0 done; 1 the verdict is no or unverified and nothing was written; 2 bad input; 3 no environment is
    available here. For several models, the highest of theirs.
    """
    given = None if recipe is None else read_recipe(recipe)
    made_for = target.value if given is None else given.target
    choices = QuantizeChoices(
        drop=tuple(drop or ()),
        goal=goal.value,
        low_rank=low_rank,
        calibration=calibration,
        recipe=given,
        session=ctx.obj,
        selection=Selection(TASK, edition, python, find_links, offline, backend, base),
        receipt=receipt,
        fresh=fresh,
        allow_slower=allow_slower,
        allow_unverified=allow_unverified,
        target=made_for,
        roads=roads_to_run(made_for, roads, ctx.obj.environ),
    )
    for path in (output, report):
        if path is not None and not path.is_dir():
            check_place(path.absolute())
    if explain:
        _explain(choices, as_json=as_json)
    elif is_one(models):
        _quantize_one(models[0], output, choices, report, as_json=as_json)
    else:
        _quantize_several(models, output, choices, report, jobs=jobs, as_json=as_json)


def exit_code(document: SeveralDocument) -> int:
    """0 if every output was written; else the highest of 1 (one was not) and the codes of those that failed."""
    return max(run.exit_code if isinstance(run, FailedRun) else int(run.output is None) for run in document.runs)


def _explain(choices: QuantizeChoices, *, as_json: bool) -> None:
    with screen() as receive:
        explain_task(*choices.opened(receive), as_json=as_json)


def _quantize_one(
    named: str, output: Path | None, choices: QuantizeChoices, report: Path | None, *, as_json: bool
) -> None:
    with screen() as receive:
        task, workshop = choices.opened(receive)
        (model,) = with_pages({named: one_model(named, output, workshop)}, report).values()
        document = quantize_model(model, choices, task, workshop)
    write_markdown(report, quantization.as_markdown(document))
    typer.echo(document_text(to_json(document)) if as_json else quantization.as_text(document))
    raise typer.Exit(0 if document.output else 1)


def _quantize_several(
    named: list[str], folder: Path | None, choices: QuantizeChoices, report: Path | None, *, jobs: int, as_json: bool
) -> None:
    with screens() as receiver:
        task, workshop = choices.opened(receiver(""))
        models = with_pages(several_models(named, folder, workshop), report)
        document = quantize_several(Batch(models, folder, jobs), choices, task, workshop, receiver)
    write_folder_data(report, document)
    write_markdown(report, several.as_markdown(document))
    typer.echo(document_text(to_json(document)) if as_json else several.as_text(document))
    raise typer.Exit(exit_code(document))
