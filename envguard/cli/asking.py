"""Ask on a terminal whether to trust a project, after showing what it does or what changed."""

from __future__ import annotations

import os
import sys

import typer

from envguard.cli.text import printable
from envguard.errors import MissingPython, NotAllowed

YES = ("y", "Y")


def can_ask() -> bool:
    """Whether somebody sits there and can answer."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")
    except (AttributeError, ValueError):  # one of them was closed before envguard started, or since
        return False


def ask_to_fetch(error: MissingPython) -> bool:
    """Say why no Python fits and where one would come from, and wait for one key."""
    typer.echo(f"envguard: {printable(error.what)}\n{printable(error.why)}", err=True)
    source = printable(error.source)
    typer.echo(f"Python {error.minor} would do. uv can fetch it into envguard's store, from {source}.", err=True)
    return _yes("Fetch it?")


def _yes(question: str) -> bool:
    typer.echo(f"{question} Press y for yes, any other key for no. ", err=True, nl=False)
    answer = typer.getchar()
    typer.echo("yes" if answer in YES else "no", err=True)
    return answer in YES


def ask_to_allow(error: NotAllowed) -> bool:
    """Show what would be allowed, wait for one key, and record a yes."""
    typer.echo(f"envguard: {printable(error.what)}\n{printable(error.shown)}", err=True)
    if not _yes("Trust it?"):
        return False
    error.allow()
    return True
