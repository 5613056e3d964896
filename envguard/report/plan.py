"""The plan of a task: which environments, on what, why not otherwise, and what the steps will not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from envguard.catalog.model import Task
from envguard.host.variables import removed_from_step
from envguard.planning import Plan


def plan_document(task: Task, plans: Sequence[Plan], environ: Mapping[str, str]) -> dict[str, Any]:
    """The plan as one JSON document; of removed variables only names, never values."""
    return {
        "task": task.name,
        "steps": [{"name": step.name, "environment": step.environment} for step in task.steps],
        "environments": [_environment(plan) for plan in plans],
        "removed_variables": removed_variables(environ),
    }


def removed_variables(environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Which of the host's variables no step sees and why, as rows of a document; names only, never values."""
    return [{"name": name, "why": why} for name, why in removed_from_step(environ).items()]


def removed_lines(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The same rows for a reader; none where nothing is removed."""
    if not rows:
        return []
    return ["", "variables that no step sees", *(f"  {each['name']}: {each['why']}" for each in rows)]


def plan_text(document: Mapping[str, Any]) -> str:
    """The same plan for a reader."""
    steps = " → ".join(f"{step['name']} ({step['environment']})" for step in document["steps"])
    lines = [f"task {document['task']}: {steps}"]
    for environment in document["environments"]:
        chosen = environment["chosen"]
        lines += [
            "",
            f"environment {environment['name']}: edition {chosen['edition']} on Python {chosen['python']}",
            f"  interpreter  {chosen['interpreter']}",
            *([f"  container    {chosen['base']}"] if chosen["base"] else []),
            f"  lock         {chosen['lock'][:16]}… ({chosen['packages']} packages)",
        ]
        lines += [f"  passed over  {each['what']}: {each['why']}" for each in environment["passed_over"]]
    return "\n".join(lines + removed_lines(document["removed_variables"]))


def _environment(plan: Plan) -> dict[str, Any]:
    chosen = plan.chosen
    return {
        "name": plan.environment.name,
        "chosen": {
            "edition": chosen.edition.name,
            "python": chosen.interpreter.version_text,
            "interpreter": str(chosen.interpreter.path),
            "lock": chosen.lock.digest,
            "packages": len(chosen.lock.packages),
            "backend": chosen.backend,
            "base": chosen.interpreter.base.reference if chosen.interpreter.base else None,
        },
        "passed_over": [{"what": each.what, "why": each.why} for each in plan.passed_over],
    }
