"""`envguard probe`: every Python on this host, and whether envguard can use it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from envguard.catalog.shipped import builtin_catalog
from envguard.cli.options import JsonOption
from envguard.cli.printing import document_text
from envguard.cli.session import session_of
from envguard.cli.text import fitting, printable
from envguard.host.discovery import discover
from envguard.host.interpreters import Interpreter
from envguard.host.variables import removed_from_step
from envguard.planning import minor_of
from envguard.report.plan import removed_lines, removed_rows
from envguard.store.home import envguard_home


def probe(
    ctx: typer.Context,
    as_json: JsonOption = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Examine every interpreter again instead of using the cache.")
    ] = False,
) -> None:
    """Show every Python on this host, why envguard cannot use some, and which variables are hidden from steps."""
    environ = session_of(ctx).environ
    facts = discover(environ, home=Path.home(), store=envguard_home(), refresh=refresh, shims=True)
    facts = facts.noted(_about)
    removed = removed_from_step(environ)
    if as_json:
        typer.echo(document_text({**facts.as_json(), "removed_variables": removed_rows(removed)}))
        return
    # The document needs nothing of rich, which takes longer to import than a probe.
    from envguard.cli.diagnosis.probe_table import show

    show(facts, preferred=builtin_catalog().pythons[0])
    for line in removed_lines(removed):
        typer.echo(fitting(printable(line), sys.stdout))


def _about(interpreter: Interpreter) -> str:
    """What the catalog says of a Python that none of its environments is for."""
    minor, environments = minor_of(interpreter), builtin_catalog().environments.values()
    known = {python for each in environments for python in each.pythons}
    return "" if minor in known else f"No environment of envguard's own is for Python {minor}."
