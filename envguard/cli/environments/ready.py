"""The one environment that a command is for, made ready."""

from __future__ import annotations

from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.session import Session
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.running.environments.prepared import Prepared
from envguard.running.environments.preparing import Workshop


def prepare(session: Session, selection: Selection, *, interactive: bool = False) -> tuple[Workshop, Prepared]:
    """The environment that a selection is for, and what made it ready."""
    with screen() as receive:
        workshop = open_workshop(session, catalog_of(session), receive, selection)
        if interactive and not workshop.terminal:
            raise BadInput(
                "A shell needs a terminal, which envguard's containers do not have.",
                next_step=f"`envguard image build {selection.main}` names the image; start it with `docker run -it`.",
            )
        return workshop, workshop.prepare(selection.main)
