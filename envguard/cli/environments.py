"""`envguard create|list|path|exec|shell`: environments to have and to work in."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from envguard.catalog import Environment
from envguard.cli.options import (
    BackendOption,
    BaseOption,
    EditionOption,
    EnvironmentArgument,
    FindLinksOption,
    JsonOption,
    OfflineOption,
)
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, for_each
from envguard.cli.session import Session, session_of
from envguard.cli.workshop import catalog_of, open_workshop
from envguard.errors import BadInput, NoEnvironment
from envguard.running.preparing import Prepared, Workshop
from envguard.running.setting_up import needed_here
from envguard.running.shortcut import leave
from envguard.store.locking import in_use

HereOption = Annotated[bool, typer.Option("--here", help="Let Python import modules of the current folder.")]


def create(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ENV]...", help="Default: all that work here needs.")
    ] = None,
    edition: EditionOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build and prove environments: those named, or all that work here needs, as `envguard setup` does."""
    catalog = catalog_of(ctx.obj)
    chosen = names or needed_here(catalog)
    editions = for_each(chosen, edition)
    selection = Selection("", editions, None, find_links, offline, backend, base)
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        prepared = [workshop.prepare(name) for name in chosen]
    if as_json:
        typer.echo(json.dumps({"environments": [each.as_json() for each in prepared]}, indent=2))
        return
    for each in prepared:
        state = "built and proved" if each.built.fresh else "ready"
        typer.echo(f"{each.candidate}: {state} in {each.built.layout.root}")


def list_environments(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show the catalog's environments and which of them are ready on this host."""
    catalog = catalog_of(ctx.obj)
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive)
        rows = [_row(environment, workshop) for environment in catalog.environments.values()]
    if as_json:
        typer.echo(json.dumps({"environments": rows}, indent=2))
        return
    for row in rows:
        state = "ready" if row["ready"] else row["why"].splitlines()[0]
        what = f"{row['edition']} on Python {row['python']}" if row["edition"] else "cannot be had here"
        typer.echo(f"{row['name']}: {what}, {state}\n  {row['summary']}; editions: {', '.join(row['editions'])}")


def _row(environment: Environment, workshop: Workshop) -> dict[str, Any]:
    """What the preferred candidate of an environment is, and whether it is ready."""
    row: dict[str, Any] = {
        "name": environment.name,
        "summary": environment.summary,
        "editions": [edition.name for edition in environment.editions],
    }
    try:
        chosen = workshop.plan(environment.name).chosen
    except NoEnvironment as error:
        return row | {"edition": None, "python": None, "ready": False, "why": error.why}
    ready, why = workshop.look_up(chosen)
    version = chosen.interpreter.version_text
    return row | {"edition": chosen.edition.name, "python": version, "ready": ready is not None, "why": why}


def path(
    ctx: typer.Context,
    name: EnvironmentArgument,
    edition: EditionOption = None,
    python: Annotated[bool, typer.Option("--python", help="The interpreter instead of the folder.")] = False,
) -> None:
    """Print the folder of an environment, built now if it is not ready."""
    _, prepared = _prepare(ctx.obj, Selection(name, for_each([name], edition)))
    layout = prepared.built.layout
    typer.echo(layout.python if python else layout.root)


def execute(
    ctx: typer.Context,
    name: EnvironmentArgument,
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...")],
    edition: EditionOption = None,
    here: HereOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
) -> None:
    """Run a command in an environment; its exit code is envguard's.

    In a container it has the current folder, and nothing else of this host.
    """
    if command[0] == "--":
        command = command[1:]
    if not command:
        raise BadInput("There is no command to run.", next_step=f"envguard exec {name} -- python")
    selection = Selection(name, for_each([name], edition), backend=backend, base=base)
    raise typer.Exit(_run_in(ctx.obj, selection, command, here=here))


def shell(
    ctx: typer.Context, name: EnvironmentArgument, edition: EditionOption = None, here: HereOption = False
) -> None:
    """Start your shell in an environment; `exit` leaves it."""
    session = session_of(ctx)
    selection = Selection(name, for_each([name], edition))
    program = session.environ.get("SHELL") or session.environ.get("COMSPEC") or "/bin/sh"
    raise typer.Exit(_run_in(session, selection, [program], here=here, interactive=True))


def _run_in(
    session: Session, selection: Selection, command: list[str], *, here: bool, interactive: bool = False
) -> int:
    workshop, prepared = _prepare(session, selection, interactive=interactive)
    with in_use(prepared.built.folder) as descriptors:
        ready, _ = workshop.look_up(prepared.candidate)
        if ready is None:  # removed between being ready and being in use
            return _run_in(session, selection, command, here=here, interactive=interactive)
        python = ready.layout.python
        if python.is_relative_to(ready.folder) and not prepared.failed:
            name = selection.main
            leave(
                str(workshop.home), name, workshop.editions.get(name, ""), dict(session.environ),
                (str(ready.folder), str(python.relative_to(ready.folder)), ready.identity.interpreter),
                [str(file) for file in workshop.decided_by(prepared.candidate)],
            )  # fmt: skip
        workspace = workshop.workspace(prepared, session.cwd, [])
        return workspace.run_command(command, session.environ, here=here, keep=descriptors)


def _prepare(session: Session, selection: Selection, *, interactive: bool = False) -> tuple[Workshop, Prepared]:
    """The environment that a selection is for, and what made it ready."""
    with screen() as receive:
        workshop = open_workshop(session, catalog_of(session), receive, selection)
        if interactive and not workshop.terminal:
            raise BadInput(
                "A shell needs a terminal, which envguard's containers do not have.",
                next_step=f"`envguard image build {selection.main}` names the image; start it with `docker run -it`.",
            )
        return workshop, workshop.prepare(selection.main)
