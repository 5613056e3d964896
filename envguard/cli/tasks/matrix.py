"""`envguard run TASK --matrix`: a task once for every Python and edition, and one table of what came of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from envguard.catalog import Task
from envguard.cli.printing import document_text
from envguard.cli.sources import named_source, takes_folder
from envguard.cli.text import printable
from envguard.errors import BadInput, EnvguardError, Interrupted, NotAllowed
from envguard.payload.contract import YES, to_json
from envguard.running.checking_files import check_input
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import run_with_dependencies
from envguard.running.task_order import TaskOrder

NO_VERDICT = "none"


@dataclass(frozen=True)
class Combination:
    """One run: the Python and edition that it was for, its verdict (`none` if it could not run), and what failed."""

    python: str
    edition: str
    verdict: str
    seconds: float
    failures: tuple[str, ...]


@dataclass(frozen=True)
class MatrixDocument:
    """What `--json` prints."""

    task: str
    verdict: str
    runs: tuple[Combination, ...]


def matrix_order(
    task: Task, named: Mapping[str, str], output: Path | None, workshop: Workshop, *, jobs: int | None, fresh: bool
) -> TaskOrder:
    """What every combination does, once its inputs are found; raises BadInput for an output, which none writes."""
    if output is not None:
        raise BadInput(f"With --matrix nothing is written, to {output} neither.", next_step="Leave that option out.")
    sources = {name: named_source(each, workshop) for name, each in named.items()}
    for name, source in sources.items():
        check_input(source, folders=takes_folder(task, name))
    return TaskOrder(task, {name: (source,) for name, source in sources.items()}, jobs=jobs, fresh=fresh)


def run_matrix(order: TaskOrder, workshop: Workshop, *, as_json: bool) -> int:
    """Run every combination and print the table; nobody gets their files. The exit code is 1 unless all say yes."""
    task = order.task
    runs = tuple(_run(order, workshop, each) for each in combinations(task, workshop))
    verdict = YES if all(each.verdict == YES for each in runs) else "no"
    document = MatrixDocument(task.name, verdict, runs)
    typer.echo(document_text(to_json(document)) if as_json else printable(_text(document)))
    return 0 if verdict == YES else 1


def combinations(task: Task, workshop: Workshop) -> Iterator[tuple[str, str]]:
    """Every Python and edition of the task's matrix; without one, those of its first step's environment that fit."""
    environment = workshop.catalog.environments[task.steps[0].environment]
    for name in task.matrix_editions or tuple(each.name for each in environment.editions if each.offered):
        edition = environment.edition(name)
        for python in task.matrix_pythons or (edition.pythons if edition else ()):
            yield python, name


def _run(order: TaskOrder, workshop: Workshop, combination: tuple[str, str]) -> Combination:
    (python, edition), task = combination, order.task
    every = [workshop.catalog.environments[name] for name in workshop.catalog.environments_of(task)]
    main = task.steps[0].environment
    having = [each.name for each in every if each.name == main or each.edition(edition)]
    chosen = dataclasses.replace(
        workshop,
        editions={**workshop.editions, **dict.fromkeys(having, edition)},
        pythons={**workshop.pythons, **{each.name: python for each in every if python in each.pythons}, main: python},
    )
    started = time.monotonic()
    try:
        record = run_with_dependencies(order, chosen).record
    except (Interrupted, NotAllowed):
        raise
    except EnvguardError as error:
        return Combination(python, edition, NO_VERDICT, _since(started), (f"{error.what} {error.why}".strip(),))
    messages = tuple(each.message for each in record.failures)
    return Combination(python, edition, record.verdict, _since(started), messages)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _text(document: MatrixDocument) -> str:
    rows = [("python", "edition", "verdict", "seconds")]
    rows += [(each.python, each.edition, each.verdict, f"{each.seconds:.1f}") for each in document.runs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for each in document.runs:
        lines += [f"{each.python}, edition {each.edition}: {message}" for message in each.failures]
    return "\n".join([*lines, f"verdict: {document.verdict}."])
