"""`envguard help`: the help of a command, or the whole manual page."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from envguard.cli.guide.manual import manual_page
from envguard.errors import BadInput


def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="Default: the overview of all commands.")
    ] = None,
    man: Annotated[
        bool, typer.Option("--man", help="Print the manual page of all commands, for `man -l` or a MANPATH.")
    ] = False,
) -> None:
    """Print the help of a command, as its own --help does; with --man, the manual page."""
    command = ctx.find_root().command
    assert isinstance(command, TyperGroup)
    if man:
        if words:
            raise BadInput("The manual page is one for all commands.", next_step="envguard help --man")
        typer.echo(manual_page(command), nl=False)
        return
    code = command.main(args=[*(words or ()), "--help"], prog_name="envguard", standalone_mode=False)
    raise typer.Exit(int(code or 0))
