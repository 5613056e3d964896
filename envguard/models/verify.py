"""`envguard run verify`: which roads take a model that exists already, and what do they make of it?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envguard.cli.options import (
    BackendOption,
    BaseOption,
    EditionsOption,
    ExplainOption,
    FindLinksOption,
    FreshOption,
    FrozenOption,
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
from envguard.files import write_output
from envguard.models.calibration import PICTURES, files_for
from envguard.models.originals import original_of
from envguard.models.roads import OURS, OwnRoadsOption, chosen_roads, road_drivers, road_options, steps_for
from envguard.models.text.verified import as_markdown, as_text
from envguard.payload.contract import YES, to_json, verify_document
from envguard.running.checking_files import check_input, check_output
from envguard.running.pipeline import run_task
from envguard.running.task_order import TaskOrder

TASK = STEP = ENVIRONMENT = "verify"
ORIGINAL, IMAGES = "original", "images"

AgainstOption = Annotated[
    str | None,
    typer.Option(
        metavar="ORIGINAL",
        help="What the model was made from, or sample:NAME. Default: the file that the receipt beside it names, if it "
        "is still there; without one, only whether the roads take the model.",
    ),
]
ImagesOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Pictures like those in real use, or sample:NAME, besides the samples of faces, hands or people.",
    ),
]


def verify(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="BUNDLE", help="A .task bundle or a .tflite model.")],
    against: AgainstOption = None,
    roads: OwnRoadsOption = None,
    images: ImagesOption = None,
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    frozen: FrozenOption = False,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as Markdown.")] = None,
    fresh: FreshOption = False,
    explain: ExplainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a model that exists already on roads, beside its original if there is one, and judge each.

    Exit codes: 0 the verdict is yes; 1 it is no, or a road that was asked for could not be run; 2 bad input; 3 no
    environment is available here.
    """
    meant = chosen_roads(roads, OURS)
    catalog = catalog_of(ctx.obj)
    task = catalog.tasks[TASK].including(steps_for(meant))
    with screen() as receive:
        selection = Selection(ENVIRONMENT, edition, python, find_links, offline, backend, base, frozen)
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        if explain:
            explain_task(task, workshop, as_json=as_json)
            return
        source = named_source(model, workshop)
        check_input(source)
        if report is not None:
            check_output(report.absolute(), source)
        original = original_of(source, against, workshop)
        sources: dict[str, tuple[Path, ...]] = {"input": (source,), **({ORIGINAL: (original,)} if original else {})}
        if images is not None:
            sources[IMAGES] = files_for("verify with", images, PICTURES, workshop)
        options = road_options(meant, "balanced", ctx.obj.environ)
        options[STEP]["must_run"] = True
        order = TaskOrder(task, sources, options=options, fresh=fresh, drivers=road_drivers(meant))
        document = verify_document(run_task(order, workshop).record)
    if report is not None:
        write_output(report.absolute(), as_markdown(document).encode(errors="backslashreplace"))
    typer.echo(document_text(to_json(document)) if as_json else as_text(document))
    raise typer.Exit(0 if document.verdict == YES else 1)
