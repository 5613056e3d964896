"""`--explain`: the plan of a task."""

from __future__ import annotations

import typer

from envguard.catalog import Task
from envguard.catalog.dependencies import tasks_before
from envguard.cli.printing import document_text
from envguard.clock import utc_now
from envguard.host.variables import removed_from_step
from envguard.report.plan import TaskPlan, plan_text
from envguard.running.environments.preparing import Workshop


def explain_task(task: Task, workshop: Workshop, *, as_json: bool) -> None:
    """Print the plan of a task; run nothing."""
    every = (*tasks_before(task, workshop.catalog), task)
    names = dict.fromkeys(name for each in every for name in workshop.catalog.environments_of(each))
    plans = tuple(map(workshop.plan, names))
    planned = TaskPlan(task, plans, removed_from_step(workshop.environ), utc_now())
    typer.echo(document_text(planned.as_json()) if as_json else plan_text(planned))
