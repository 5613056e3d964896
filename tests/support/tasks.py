"""Run a task on files by its own names for them, as a command does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import Task
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import TaskResult, run_task
from envguard.running.task_order import Overrides, TaskOrder


def run_on(
    task: Task, sources: Mapping[str, Path], target: Path | None, shop: Workshop, options: Overrides | None = None
) -> TaskResult:
    """What a task does on one file for each input."""
    return run_task(TaskOrder(task, {name: (path,) for name, path in sources.items()}, target, options or {}), shop)
