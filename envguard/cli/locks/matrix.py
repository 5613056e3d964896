"""`envguard matrix`: what is known to work here, what is known to fail and why, and what nobody knows."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from envguard.cli.diagnosis.known_causes import cause_of
from envguard.cli.options import EnvironmentsArgument, JsonOption
from envguard.cli.screen import screen
from envguard.cli.selection import catalog_of, chosen_environments
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.clock import utc_now
from envguard.errors import NoEnvironment
from envguard.planning import platform_of
from envguard.report.matrix import matrix_of, matrix_text
from envguard.report.story import story_markdown
from envguard.running.environments.recorded import recorded_locks, recorded_proofs


def matrix(
    ctx: typer.Context,
    names: EnvironmentsArgument = None,
    as_json: JsonOption = False,
    story: Annotated[
        bool, typer.Option("--story", help="Print a page in Markdown: what works, and why the rest does not.")
    ] = False,
) -> None:
    """Show each edition on each Python of this platform: works, fails (with the reason), or unknown.

    Only recorded trials of exactly the present lock count; `envguard prove` makes them. One of more than 90 days ago is
    shown as old.
    """
    catalog = catalog_of(ctx.obj)
    environments = [
        (environment, recorded_locks(environment), recorded_proofs(environment))
        for environment in chosen_environments(catalog, names)
    ]
    with screen() as receive:
        usable = open_workshop(ctx.obj, catalog, receive).host.usable
    if not usable:
        raise NoEnvironment(
            "This host has no usable Python.",
            next_step="`envguard probe` shows which Pythons it has, and why none is usable.",
        )
    known = matrix_of(environments, platform_of(usable[0]), utc_now())
    if story:
        typer.echo(printable(story_markdown(known, cause_of)), nl=False)
        return
    typer.echo(json.dumps(known.as_json(), indent=2) if as_json else printable(matrix_text(known)))
