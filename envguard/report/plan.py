"""The plan of a task: which environments, built from what, why not from others, and what is hidden from the steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envguard.catalog.model import Task
from envguard.locks.age import age_text, is_old
from envguard.planning import Candidate, Plan


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task with a plan for each of its environments; `removed` says which variables no step sees, and why.

    `now` (RFC 3339) is when: proofs grow old.
    """

    task: Task
    plans: tuple[Plan, ...]
    removed: Mapping[str, str]
    now: str

    def as_json(self) -> dict[str, object]:
        """The document for `--json`."""
        return {
            "task": self.task.name,
            "steps": [{"name": step.name, "environment": step.environment} for step in self.task.steps],
            "environments": [_environment(plan, self.now) for plan in self.plans],
            "removed_variables": removed_rows(self.removed),
        }


def removed_rows(removed: Mapping[str, str]) -> list[dict[str, str]]:
    """The variables that no step sees, and why, for `--json`: names only, never values."""
    return [{"name": name, "why": why} for name, why in removed.items()]


def removed_lines(removed: Mapping[str, str]) -> list[str]:
    """The same for a reader; nothing if no variable is removed."""
    if not removed:
        return []
    return ["", "variables that no step sees", *(f"  {name}: {why}" for name, why in removed.items())]


def plan_text(planned: TaskPlan) -> str:
    """The plan for a reader."""
    steps = " → ".join(f"{step.name} ({step.environment})" for step in planned.task.steps)
    lines = [f"task {planned.task.name}: {steps}"]
    for plan in planned.plans:
        chosen = plan.chosen
        interpreter, base = chosen.interpreter, chosen.interpreter.base
        lines += [
            "",
            f"environment {plan.environment.name}: edition {chosen.edition.name} on Python {interpreter.version_text}",
            f"  interpreter  {interpreter.path}",
            *([f"  container    {base.reference}"] if base else []),
            f"  lock         {chosen.lock.digest[:16]}… ({len(chosen.lock.packages)} packages)",
            f"  proof        {_proof_text(chosen, planned.now)}",
        ]
        lines += [f"  passed over  {each.what}: {each.why}" for each in plan.passed_over]
    return "\n".join(lines + removed_lines(planned.removed))


def _proof_text(chosen: Candidate, now: str) -> str:
    if chosen.proof is None:
        return "none here yet: it is proved when it is built"
    if is_old(chosen.proof.date, now):
        return f"{age_text(chosen.proof.date)}; `envguard prove {chosen.environment.name}` tries it again"
    return f"works, tried on {chosen.proof.date[:10]}"


def _proof(chosen: Candidate, now: str) -> dict[str, object] | None:
    return None if chosen.proof is None else {"date": chosen.proof.date, "old": is_old(chosen.proof.date, now)}


def _environment(plan: Plan, now: str) -> dict[str, object]:
    chosen = plan.chosen
    return {
        "name": plan.environment.name,
        "chosen": {
            "edition": chosen.edition.name,
            "python": chosen.interpreter.version_text,
            "interpreter": str(chosen.interpreter.path),
            "lock": chosen.lock.digest,
            "packages": len(chosen.lock.packages),
            "proof": _proof(chosen, now),
            "backend": chosen.backend,
            "base": chosen.interpreter.base.reference if chosen.interpreter.base else None,
        },
        "passed_over": [{"what": each.what, "why": each.why} for each in plan.passed_over],
    }
