"""`envguard run TASK`: every task of the catalog is a command."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from envguard.catalog import Catalog, Task
from envguard.cli.app import LazyCommand, imported
from envguard.cli.selection import catalog_of
from envguard.cli.session import session_of
from envguard.table_reader import unknown_name


class TaskGroup(TyperGroup):
    """A command for every task of the catalog; those that have options of their own are registered beside it."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The registered commands, then the tasks of the catalog that have none."""
        return list(dict.fromkeys([*super().list_commands(ctx), *_catalog(ctx).tasks]))

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command of a task; the catalog is read only for one that is not registered."""
        found = super().get_command(ctx, cmd_name)
        if found is None and (task := _catalog(ctx).tasks.get(cmd_name)) is not None:
            return LazyCommand(task.name, task.summary, lambda: _make(task))
        return found

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The command that the arguments name; raises BadInput that lists the tasks where there is none."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            raise unknown_name("There is no task", args[0], known)
        return super().resolve_command(ctx, args)


def _catalog(ctx: typer.Context) -> Catalog:
    return catalog_of(session_of(ctx))


def _make(task: Task) -> Any:
    # The overview lists tasks without what it takes to run one.
    make = imported("envguard.cli.tasks.command:command_for")
    return make(task)
