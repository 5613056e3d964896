"""`envguard matrix`: what is known to work here, what is known to fail and why, and what nobody knows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from envguard.errors import NoEnvironment


def matrix(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ENV]...", help="Environments; all if none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, with who proved what, when.")] = False,
    story: Annotated[
        bool, typer.Option("--story", help="A page in Markdown: what works, and why the rest not.")
    ] = False,
) -> None:
    """Show each edition on each Python of this platform: works, fails (with the reason), or unknown.

    Only recorded trials count, and only of exactly the lock that is there; `envguard prove` makes them.
    """
    from envguard.catalog import load_catalog
    from envguard.cli.choice import chosen_environments
    from envguard.cli.screen import screen
    from envguard.cli.text import printable
    from envguard.cli.workshop import open_workshop
    from envguard.planning import platform_of
    from envguard.report.matrix import matrix_document, matrix_text
    from envguard.running.recorded import recorded_locks, recorded_proofs

    catalog = load_catalog(Path.cwd(), os.environ)
    environments = [
        (environment, recorded_locks(environment), recorded_proofs(environment))
        for environment in chosen_environments(catalog, names)
    ]
    with screen() as receive:
        usable = open_workshop(catalog, receive).host.usable
    if not usable:
        raise NoEnvironment(
            "This host has no Python that can be used.", next_step="`envguard probe` shows what it has, and why not."
        )
    document = matrix_document(environments, platform_of(usable[0]))
    if story:
        from envguard.cli.diagnosis import cause_of
        from envguard.report.story import story_markdown

        chosen = [environment for environment, _, _ in environments]
        typer.echo(printable(story_markdown(document, chosen, cause_of)), nl=False)
        return
    typer.echo(json.dumps(document, indent=2) if as_json else printable(matrix_text(document)))
