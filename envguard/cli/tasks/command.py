"""Any task of the catalog as a command: `envguard run TASK [INPUT] -o OUT`, the same options for all."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from envguard.catalog import Task
from envguard.cli.app import as_command
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
    ReceiptOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.sources import folders_made_before, leave_receipt, named_source, sample_of, takes_folder
from envguard.cli.tasks.explain import explain_task
from envguard.cli.tasks.matrix import matrix_order, run_matrix
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.files import check_place
from envguard.payload.contract import to_json
from envguard.report.task import task_document, task_text
from envguard.running.checking_files import check_input, check_output, check_output_folder
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import TaskResult, run_with_dependencies
from envguard.running.receipt import receipt_path
from envguard.running.task_order import TaskOrder

InputArgument = Annotated[str | None, typer.Argument(metavar="[INPUT]", help="The input, if the task has exactly one.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="The output: a file, or a folder if there are several."),
]
NamedInputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="NAME=PATH",
        help="An input by name; PATH may be sample:NAME. Can be given several times.",
    ),
]
ReportsOption = Annotated[
    list[str] | None,
    typer.Option("--report", metavar="NAME=PATH", help="Make this report of the task. Can be given several times."),
]
ReceiptFileOption = Annotated[
    Path | None,
    typer.Option(
        "--receipt-file",
        metavar="FILE",
        help="Where to write the receipt of a task without outputs, which has none to lie beside.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="How many steps may run at once, where they need nothing of each other. Default: one for each processor.",
    ),
]
MatrixOption = Annotated[
    bool,
    typer.Option("--matrix", help="Run it for every Python and edition, and show one table. Nothing is written."),
]


def command_for(task: Task) -> Any:
    def run(
        ctx: typer.Context,
        source: InputArgument = None,
        named: NamedInputs = None,
        output: OutputOption = None,
        edition: EditionsOption = None,
        python: PythonsOption = None,
        find_links: FindLinksOption = None,
        offline: OfflineOption = False,
        backend: BackendOption = None,
        base: BaseOption = None,
        frozen: FrozenOption = False,
        reports: ReportsOption = None,
        receipt: ReceiptOption = True,
        receipt_file: ReceiptFileOption = None,
        explain: ExplainOption = False,
        matrix: MatrixOption = False,
        jobs: JobsOption = None,
        fresh: FreshOption = False,
        as_json: JsonOption = False,
    ) -> None:
        selection = Selection(task.steps[0].environment, edition, python, find_links, offline, backend, base, frozen)
        with screen() as receive:
            workshop = open_workshop(ctx.obj, catalog_of(ctx.obj), receive, selection)
            if explain:
                explain_task(task, workshop, as_json=as_json)
                return
            wanted, told = _inputs(task, source, named or ()), _reports(task, reports or ())
            if matrix:
                order = matrix_order(task, wanted, output or receipt_file, workshop, jobs=jobs, fresh=fresh)
                raise typer.Exit(run_matrix(order, workshop, as_json=as_json))
            result, left = _run(task, wanted, Wanted(output, told, receipt, receipt_file, jobs, fresh), workshop)
        _show(task, result, left, as_json=as_json)
        if result.report_error:
            raise result.report_error
        raise typer.Exit(0 if result.passed else 1)

    return as_command(task.name, run, help=f"{task.summary}.\n\nInputs: {', '.join(task.inputs) or 'none'}.")


@dataclass(frozen=True)
class Wanted:
    """What the options of a command ask for besides inputs and environments."""

    output: Path | None
    reports: Mapping[str, Path]
    receipt: bool
    receipt_file: Path | None
    jobs: int | None
    fresh: bool


def _run(task: Task, named: Mapping[str, str], wanted: Wanted, workshop: Workshop) -> tuple[TaskResult, Path | None]:
    target, reports = _target(task, wanted.output), wanted.reports
    several = len(task.outputs) > 1
    folder = any(map(task.makes_folder, task.outputs.values()))
    left = _receipt(task, target, wanted.receipt_file)
    single = () if several or folder or target is None else (target,)
    files = (*single, *((left,) if left and not several else ()))
    # Before the sources: a sample's environment may have to be built.
    for place in (*files, *((left,) if left else ()), *reports.values()):
        check_place(place)
    sources = {name: named_source(value, workshop) for name, value in named.items()}
    if several and target is not None:
        check_output_folder(target)
    for name, source in sources.items():
        check_input(source, folders=takes_folder(task, name))
    for path, each in itertools.product(files, (*sources.values(), None)):
        check_output(path, each)
    for report, each in itertools.product(reports.values(), (*sources.values(), *single)):
        check_output(report, each)
    order = TaskOrder(
        task,
        {name: (path,) for name, path in sources.items()},
        target,
        receipt=left if wanted.receipt else None,
        reports=reports,
        replaceable=folders_made_before(left) if folder and left else frozenset(),
        jobs=wanted.jobs,
        fresh=wanted.fresh,
    )
    result = run_with_dependencies(order, workshop)
    return result, leave_receipt(order, result, sample_of(named))


def _target(task: Task, output: Path | None) -> Path | None:
    """Where the output goes; None of a task that makes nothing."""
    if not task.outputs and output is not None:
        raise BadInput(
            f"The task {task.name} makes no file, so there is nothing to write to {output}.", next_step="Leave -o out."
        )
    if task.outputs and output is None:
        raise BadInput(
            "No output path was given.", next_step="Name a file with -o, or a folder if there are several outputs."
        )
    return output.absolute() if output is not None else None


def _receipt(task: Task, target: Path | None, file: Path | None) -> Path | None:
    """Where the receipt goes: beside the output, and of a task without any where the user says, if they do."""
    if target is None:
        return file.absolute() if file is not None else None
    if file is not None:
        place = receipt_path(target, task)
        raise BadInput(
            f"The receipt cannot go to {file}.",
            why=f"it lies beside the output, as {place.name}",
            next_step="Leave --receipt-file out.",
        )
    return receipt_path(target, task)


def _inputs(task: Task, source: str | None, named: Sequence[str]) -> dict[str, str]:
    """The task's inputs by name, in its order; every one once, and no other."""
    given = _by_name("input", named)
    if source is not None:
        if len(task.inputs) != 1 or given:
            raise BadInput(
                f"It is not clear which input of {task.name} is {source}.",
                why=f"its inputs are {', '.join(task.inputs) or 'none'}",
                next_step="Name each with --input NAME=PATH.",
            )
        given[task.inputs[0]] = source
    unknown, missing = [given.keys() - set(task.inputs), set(task.inputs) - given.keys()]
    if unknown or missing:
        out = " -o OUT" if task.outputs else ""
        wrong = f"has no input {min(unknown)!r}" if unknown else f"needs the input {min(missing)!r}"
        raise BadInput(
            f"The task {task.name} {wrong}.",
            why=f"its inputs are {', '.join(task.inputs) or 'none'}",
            next_step=f"envguard run {task.name} {' '.join(f'--input {name}=PATH' for name in task.inputs)}{out}",
        )
    return {name: given[name] for name in task.inputs}


def _reports(task: Task, named: Sequence[str]) -> dict[str, Path]:
    """The requested reports by name, and where each goes."""
    given = _by_name("report", named)
    for name in given:
        if name not in task.reports:
            raise BadInput(
                f"The task {task.name} has no report {name!r}.",
                why=f"its reports are {', '.join(task.reports) or 'none'}",
                next_step="Declare it in the task's `reports`, or name another.",
            )
    return {name: Path(path).absolute() for name, path in given.items()}


def _by_name(what: str, named: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for each in named:
        name, equals, value = each.partition("=")
        if not equals or not value:
            raise BadInput(f"{each!r} is not of the form NAME=PATH.", next_step=f"Write --{what} NAME=PATH.")
        if name in given:
            raise BadInput(f"The {what} {name!r} is named twice.", next_step="Name it once.")
        given[name] = value
    return given


def _show(task: Task, result: TaskResult, receipt: Path | None, *, as_json: bool) -> None:
    document = task_document(result, receipt)
    text = task_text(document, makes_files=bool(task.outputs))
    if document.task != task.name:
        text = f"The task {document.task}, which {task.name} depends on, did not say yes.\n{text}"
    text = printable(text)
    typer.echo(document_text(to_json(document)) if as_json else text)
