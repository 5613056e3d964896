"""`envguard run TASK`: the catalog's tasks, the built-in one with options of its own."""

from __future__ import annotations

import json
import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envguard.cli.choice import EditionsOption, FindLinksOption, OfflineOption, PythonsOption
from envguard.cli.task import SAMPLE, ReceiptOption, TaskGroup, explain_task, leave_receipt, named_source, sample_of

if TYPE_CHECKING:
    from envguard.running.pipeline import Overrides

run_app = typer.Typer(
    cls=TaskGroup, help="Run a task; each of its steps in an environment of its own.", no_args_is_help=True
)


class Goal(str, Enum):
    """What counts most in a quantized model; what each means is the payload's to say."""

    ACCURACY = "accuracy"
    BALANCED = "balanced"
    SIZE = "size"


@run_app.callback()
def tasks() -> None:
    """Run a task; each of its steps in an environment of its own."""


@run_app.command()
def quantize(
    model: Annotated[str, typer.Argument(help="A .task bundle, a .tflite model, or sample:face_landmarker.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Default: NAME.int8.task or .tflite beside the model."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave a model of the bundle out, such as face_blendshapes."),
    ] = None,
    goal: Annotated[
        Goal, typer.Option(help="What counts most; size may be helped by --low-rank.", case_sensitive=False)
    ] = Goal.BALANCED,
    low_rank: Annotated[
        bool, typer.Option("--low-rank", help="Compress large layers as well: fewer weights, not only fewer bits.")
    ] = False,
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Pictures (or .npy, .npz) like those of real use, or sample:NAME; default: faces."
        ),
    ] = None,
    edition: EditionsOption = None,
    python: PythonsOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as Markdown too.")] = None,
    receipt: ReceiptOption = True,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the plan and why the rest lost; run nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Make a model int8 with float input and output, and prove against the original that it still works.

    Exit codes: 0 done; 1 the verdict is no and nothing was written; 2 bad input; 3 no environment can be had here.
    """
    from envguard.catalog import load_catalog
    from envguard.cli.calibration import calibrated_with
    from envguard.cli.choice import by_environment
    from envguard.cli.screen import screen
    from envguard.cli.workshop import open_workshop
    from envguard.files import write_whole
    from envguard.report.quantize import as_document
    from envguard.report.text import as_markdown, as_text
    from envguard.running.pipeline import run_task
    from envguard.running.places import check_input, check_output

    catalog = load_catalog(Path.cwd(), os.environ)
    task = catalog.tasks["quantize"]
    if calibration is not None:
        task = calibrated_with(task, calibration, catalog)
    with screen() as receive:
        workshop = open_workshop(
            catalog,
            receive,
            by_environment(edition, catalog, main="quantize"),
            pythons=by_environment(python, catalog, main="quantize"),
            find_links=find_links,
            offline=offline,
        )
        if explain:
            explain_task(task, workshop, as_json=as_json)
            return
        source = named_source(model, workshop)
        target = (output or _default_output(model, source)).absolute()
        check_input(source)
        check_output(target, source)
        chosen = {"drop": drop or [], "goal": goal.value}
        options: Overrides = {"inspect": chosen, "quantize": {**chosen, "low_rank": low_rank}}
        result = run_task(task, {"input": source}, target, workshop, options)
    if receipt:
        leave_receipt(task, result, target, options, sample_of({"input": model}))
    document = as_document(result)
    if report is not None:
        write_whole(report.absolute(), as_markdown(document).encode())
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(as_text(document))
    raise typer.Exit(0 if result.passed else 1)


def _default_output(model: str, source: Path) -> Path:
    """NAME.int8.SUFFIX beside the model; for a sample in the current folder, as the store is not the user's."""
    name = f"{source.stem}.int8{source.suffix}"
    return Path(name) if model.startswith(SAMPLE) else source.with_name(name)
