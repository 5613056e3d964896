"""What stands in for commands while a shell completes names: importing the real ones takes several times as long."""

from __future__ import annotations

from typing import Annotated

import typer

from envguard.cli.completing import complete_editions, complete_environments

Edition = Annotated[str | None, typer.Option("--edition", autocompletion=complete_editions)]


def environment(
    name: Annotated[str, typer.Argument(autocompletion=complete_environments)],
    rest: Annotated[list[str] | None, typer.Argument()] = None,
    edition: Edition = None,
) -> None:
    """A command that takes one environment."""


def environments(
    names: Annotated[list[str] | None, typer.Argument(autocompletion=complete_environments)] = None,
    edition: Edition = None,
) -> None:
    """A command that takes several."""
