"""`envguard create|list|path|exec|shell`: environments to have and to work in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from envguard.cli.choice import BackendOption, BaseOption, FindLinksOption, OfflineOption
from envguard.errors import BadInput

if TYPE_CHECKING:
    from envguard.catalog import Environment
    from envguard.running.preparing import Prepared, Workshop

EditionOption = Annotated[str | None, typer.Option("--edition", metavar="NAME", help="Instead of the preferred one.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
HereOption = Annotated[bool, typer.Option("--here", help="Let Python import modules of the current folder.")]
AFTER_NAME = {"allow_interspersed_args": False, "ignore_unknown_options": True}


def create(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ENV]...", help="Default: all that work here needs.")
    ] = None,
    edition: EditionOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,  # noqa: ARG001 - its callback acts
    base: BaseOption = None,  # noqa: ARG001 - as above
    as_json: JsonOption = False,
) -> None:
    """Build and prove environments: those named, or all that work here needs, as `envguard setup` does."""
    from envguard.catalog import load_catalog
    from envguard.cli.screen import screen
    from envguard.cli.workshop import open_workshop
    from envguard.running.setting_up import needed_here

    catalog = load_catalog(Path.cwd(), os.environ)
    chosen = names or needed_here(catalog)
    with screen() as receive:
        editions = dict.fromkeys(chosen, edition) if edition else {}
        workshop = open_workshop(catalog, receive, editions, find_links=find_links, offline=offline)
        prepared = [workshop.prepare(name) for name in chosen]
    if as_json:
        typer.echo(json.dumps({"environments": [each.as_json() for each in prepared]}, indent=2))
        return
    for each in prepared:
        state = "built and proved" if each.built.fresh else "ready"
        typer.echo(f"{each.candidate}: {state} in {each.built.layout.root}")


def list_environments(as_json: JsonOption = False) -> None:
    """Show the catalog's environments and which of them are ready on this host."""
    from envguard.catalog import load_catalog
    from envguard.cli.screen import screen
    from envguard.cli.workshop import open_workshop

    catalog = load_catalog(Path.cwd(), os.environ)
    with screen() as receive:
        workshop = open_workshop(catalog, receive)
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
    from envguard.errors import NoEnvironment

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
    name: Annotated[str, typer.Argument(metavar="ENV")],
    edition: EditionOption = None,
    python: Annotated[bool, typer.Option("--python", help="The interpreter instead of the folder.")] = False,
) -> None:
    """Print the folder of an environment, built now if it is not ready."""
    _, prepared = _prepare(name, edition)
    layout = prepared.built.layout
    typer.echo(layout.python if python else layout.root)


def execute(
    name: Annotated[str, typer.Argument(metavar="ENV")],
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...")],
    edition: EditionOption = None,
    here: HereOption = False,
    backend: BackendOption = None,  # noqa: ARG001 - its callback acts
    base: BaseOption = None,  # noqa: ARG001 - as above
) -> None:
    """Run a command in an environment; its exit code is envguard's.

    In a container it has the current folder, and nothing else of this host.
    """
    if command[0] == "--":
        command = command[1:]
    if not command:
        raise BadInput("There is no command to run.", next_step=f"envguard exec {name} -- python")
    raise typer.Exit(_run_in(name, edition, command, here=here))


def shell(
    name: Annotated[str, typer.Argument(metavar="ENV")], edition: EditionOption = None, here: HereOption = False
) -> None:
    """Start your shell in an environment; `exit` leaves it."""
    program = os.environ.get("SHELL") or os.environ.get("COMSPEC") or "/bin/sh"
    raise typer.Exit(_run_in(name, edition, [program], here=here, interactive=True))


def _run_in(name: str, edition: str | None, command: list[str], *, here: bool, interactive: bool = False) -> int:
    from envguard.running.shortcut import leave
    from envguard.store.locking import in_use

    workshop, prepared = _prepare(name, edition, interactive=interactive)
    with in_use(prepared.built.folder) as descriptors:
        ready, _ = workshop.look_up(prepared.candidate)
        if ready is None:  # removed between being ready and being in use
            return _run_in(name, edition, command, here=here, interactive=interactive)
        python = ready.layout.python
        if python.is_relative_to(ready.folder) and not prepared.failed:
            leave(
                str(workshop.home), name, edition or "", os.environ,
                folder=str(ready.folder), python=str(python.relative_to(ready.folder)),
                interpreter=ready.identity.interpreter,
                decided_by=[str(file) for file in workshop.decided_by(prepared.candidate)],
            )  # fmt: skip
        workspace = workshop.workspace(prepared, Path.cwd(), [])
        return workspace.run_command(command, os.environ, here=here, keep=descriptors)


def _prepare(name: str, edition: str | None, *, interactive: bool = False) -> tuple[Workshop, Prepared]:
    from envguard.catalog import load_catalog
    from envguard.cli.screen import screen
    from envguard.cli.workshop import open_workshop

    with screen() as receive:
        catalog = load_catalog(Path.cwd(), os.environ)
        workshop = open_workshop(catalog, receive, {name: edition} if edition else {})
        if interactive and not workshop.terminal:
            raise BadInput(
                "A shell needs a terminal, which envguard's containers do not have.",
                next_step=f"`envguard image build {name}` names the image; start it with `docker run -it`.",
            )
        return workshop, workshop.prepare(name)
