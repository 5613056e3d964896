"""`envguard exec|shell`: work in an environment."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from envguard.cli.environments.ready import prepare
from envguard.cli.options import (
    BackendOption,
    BaseOption,
    EditionOption,
    EnvironmentArgument,
    FrozenOption,
)
from envguard.cli.selection import Selection, for_each
from envguard.cli.session import Session, session_of
from envguard.errors import BadInput
from envguard.running.environments.own.code import all_in_place, watched_by
from envguard.running.ready_recording import record_as_ready
from envguard.store.locking import in_use

HereOption = Annotated[bool, typer.Option("--here", help="Let Python import modules of the current folder.")]


def execute(
    ctx: typer.Context,
    name: EnvironmentArgument,
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...")],
    edition: EditionOption = None,
    here: HereOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    frozen: FrozenOption = False,
) -> None:
    """Run a command in an environment and exit with its exit code.

    In a container, it sees the current folder and nothing else of this host.
    """
    if command[0] == "--":
        command = command[1:]
    elif command[0].startswith("-"):
        raise BadInput(
            f"`exec` has no option {command[0]!r}.",
            next_step=f"`envguard exec --help` lists them; the command comes after --: envguard exec {name} -- CMD",
        )
    if not command:
        raise BadInput("No command was given.", next_step=f"envguard exec {name} -- python")
    editions = for_each([name], edition)
    selection = Selection(name, editions, backend=backend, base=base, frozen=frozen, editable=True)
    raise typer.Exit(_run_in(session_of(ctx), selection, command, here=here))


def shell(
    ctx: typer.Context,
    name: EnvironmentArgument,
    edition: EditionOption = None,
    here: HereOption = False,
    frozen: FrozenOption = False,
) -> None:
    """Start your shell in an environment; `exit` leaves it."""
    session = session_of(ctx)
    selection = Selection(name, for_each([name], edition), frozen=frozen, editable=True)
    # On Windows, SHELL comes from a POSIX layer and names no file of the system's.
    own = "COMSPEC" if os.name == "nt" else "SHELL"
    program = session.environ.get(own) or ("cmd.exe" if os.name == "nt" else "/bin/sh")
    raise typer.Exit(_run_in(session, selection, [program], here=here, interactive=True))


def _run_in(
    session: Session, selection: Selection, command: list[str], *, here: bool, interactive: bool = False
) -> int:
    workshop, prepared = prepare(session, selection, interactive=interactive)
    with in_use(prepared.built.folder) as descriptors:
        ready, _ = workshop.look_up(prepared.candidate)
        if ready is None:  # removed between being ready and being in use
            return _run_in(session, selection, command, here=here, interactive=interactive)
        chosen = prepared.candidate
        if not prepared.failed and not chosen.stale and not workshop.catalog.allowed and all_in_place(chosen):
            watched = watched_by(chosen, ready.layout.site_packages)
            name, decided_by = selection.main, (*workshop.decided_by(chosen), *watched)
            edition = workshop.editions.get(name, "")
            record_as_ready(workshop.home, name, edition, session.environ, ready, decided_by)
        workspace = workshop.workspace(prepared, session.cwd, [])
        return workspace.run_command(command, session.environ, here=here, keep=descriptors)
