"""`envguard create|list|path`: have environments and see what there is."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import typer

from envguard.catalog import Environment
from envguard.catalog.projects import own_first
from envguard.cli.completing import complete_environments
from envguard.cli.environments.ready import prepare
from envguard.cli.options import (
    BackendOption,
    BaseOption,
    EditionOption,
    EnvironmentArgument,
    FindLinksOption,
    FrozenOption,
    JsonOption,
    OfflineOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of, chosen_environments, for_each
from envguard.cli.session import session_of
from envguard.cli.text import printable, width_of
from envguard.cli.workshop import open_workshop
from envguard.clock import utc_now
from envguard.errors import NoEnvironment
from envguard.locks.age import age_text, is_old
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.setting_up import needed_here

LISTED_WIDTH = 60


def create(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENV]...",
            help="Default: everything that work in this folder needs.",
            autocompletion=complete_environments,
        ),
    ] = None,
    edition: EditionOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build and prove the named environments, or all that work here needs, as `envguard setup` does."""
    catalog = catalog_of(ctx.obj)
    chosen = [each.name for each in chosen_environments(catalog, names)] if names else needed_here(catalog)
    editions = for_each(chosen, edition)
    selection = Selection("", editions, None, find_links, offline, backend, base, frozen)
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        prepared = [workshop.prepare(name) for name in chosen]
        if find_links:  # `exec` has no such option, and could not get what installs the project's own code in place
            in_place = open_workshop(ctx.obj, catalog, receive, replace(selection, editable=True))
            for name in (each for each in chosen if catalog.environments[each].own):
                in_place.prepare(name)
    if as_json:
        typer.echo(document_text({"environments": [each.as_json() for each in prepared]}))
        return
    for each in prepared:
        state = "built and proved" if each.built.fresh else "ready"
        made = each.candidate.lock.built
        typer.echo(f"{each.candidate}: {state} in {each.built.layout.root}")
        if made:
            typer.echo(f"  built from source: {', '.join(made)}")


def list_environments(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show the catalog's environments and which of them are ready on this host."""
    catalog = catalog_of(ctx.obj)
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive)
        rows = [_listed(catalog.environments[name], workshop) for name in own_first(catalog)]
    if as_json:
        typer.echo(document_text({"environments": [asdict(row) for row in rows]}))
        return
    own = sum(catalog.environments[row.name].folder == catalog.project for row in rows)
    for number, row in enumerate(rows):
        if own and number == own:
            typer.echo("\nIn every project:")
        typer.echo(_text(row, min(LISTED_WIDTH, width_of(sys.stdout))))


def _text(row: ListedEnvironment, width: int) -> str:
    state = "ready" if row.ready else row.why.splitlines()[0]
    what = f"{row.edition} on Python {row.python}," if row.edition else "not available here:"
    if row.proof is not None and row.old:
        state += f", {age_text(row.proof)}"
    lines = (f"{row.name}: {what} {state}", f"  {row.summary}", f"  editions: {', '.join(row.editions)}")
    return "\n".join(
        textwrap.fill(printable(line), width, subsequent_indent="    ", break_on_hyphens=False) for line in lines
    )


@dataclass(frozen=True, slots=True)
class ListedEnvironment:
    """An environment, its preferred candidate here if it has one, and whether that is ready, or why not.

    `proof` is the date (RFC 3339) of the candidate's recorded proof, if there is one for this platform, and
    `old` says whether that was long ago.
    """

    name: str
    summary: str
    editions: tuple[str, ...]
    edition: str | None
    python: str | None
    ready: bool
    why: str
    proof: str | None = None
    old: bool = False


def _listed(environment: Environment, workshop: Workshop) -> ListedEnvironment:
    name, summary = environment.name, environment.summary
    editions = tuple(edition.name for edition in environment.editions)
    try:
        chosen = workshop.plan(name).chosen
    except NoEnvironment as error:
        return ListedEnvironment(
            name, summary, editions, edition=None, python=None, ready=False, why=error.why or error.what
        )
    ready, why = workshop.look_up(chosen)
    version = chosen.interpreter.version_text
    proof = chosen.proof.date if chosen.proof else None
    old = proof is not None and is_old(proof, utc_now())
    edition = chosen.edition.name
    return ListedEnvironment(name, summary, editions, edition, version, ready is not None, why, proof, old)


def path(
    ctx: typer.Context,
    name: EnvironmentArgument,
    edition: EditionOption = None,
    python: Annotated[bool, typer.Option("--python", help="Print the interpreter instead of the folder.")] = False,
    frozen: FrozenOption = False,
) -> None:
    """Print the folder of an environment; build it first if it is not ready."""
    _, prepared = prepare(session_of(ctx), Selection(name, for_each([name], edition), frozen=frozen))
    layout = prepared.built.layout
    typer.echo(layout.python if python else layout.root)
