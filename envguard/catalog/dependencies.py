"""Tasks that other tasks depend on: which run before one, and that there is no circle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from envguard.catalog.model import Catalog, Task
from envguard.table_reader import did_you_mean

Refuse = Callable[[str, str], NoReturn]


def tasks_before(task: Task, catalog: Catalog) -> tuple[Task, ...]:
    """The tasks that one depends on, and those that these depend on, each once and after its own."""
    found: dict[str, Task] = {}

    def visit(each: Task) -> None:
        for name in each.depends_on:
            if name not in found:
                visit(catalog.tasks[name])
                found[name] = catalog.tasks[name]

    visit(task)
    return tuple(found.values())


def check_dependencies(own: Catalog, catalog: Catalog, refuse: Refuse) -> None:
    """Refuse tasks that depend on unknown ones, on themselves, or on ones that need inputs that they do not have."""
    for task in own.tasks.values():
        where = f"tasks.{task.name}"
        for name in task.depends_on:
            if name not in catalog.tasks:
                refuse(where, f"depends on {name!r}, which does not exist{did_you_mean(name, list(catalog.tasks))}")
            lacking = set(catalog.tasks[name].inputs) - set(task.inputs)
            if lacking:
                refuse(
                    where, f"depends on {name!r}, which needs the input {min(lacking)!r} that it does not have itself"
                )
        circle = _circle(task.name, catalog.tasks, ())
        if circle:
            refuse(where, f"depends on itself: {' → '.join(circle)}")


def _circle(name: str, tasks: Mapping[str, Task], way: tuple[str, ...]) -> tuple[str, ...]:
    """The way from a task back to one that it passes; empty if there is none."""
    if name in way:
        return (*way[way.index(name) :], name)
    for each in tasks[name].depends_on if name in tasks else ():
        circle = _circle(each, tasks, (*way, name))
        if circle:
            return circle
    return ()
