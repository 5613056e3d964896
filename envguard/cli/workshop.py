"""What every command that needs environments starts from: this host, this user's store, this catalog."""

from __future__ import annotations

from pathlib import Path

from envguard.backends.table import BACKENDS
from envguard.catalog.model import Catalog
from envguard.cli.selection import Selection, by_environment
from envguard.cli.session import Session
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Receiver
from envguard.store.home import envguard_home
from envguard.table_reader import unknown_name

BACKEND_VARIABLE = "ENVGUARD_BACKEND"
BASE_VARIABLE = "ENVGUARD_BASE_IMAGE"


def open_workshop(
    session: Session, catalog: Catalog, receive: Receiver, selection: Selection | None = None
) -> Workshop:
    """A workshop for what the options of a command select; the backend and the base image default to variables."""
    chosen = selection or Selection()
    return Workshop(
        home=envguard_home(),
        user_home=Path.home(),
        environ=session.environ,
        catalog=catalog,
        receive=receive,
        editions=by_environment(chosen.editions, catalog, main=chosen.main),
        pythons=by_environment(chosen.pythons, catalog, main=chosen.main),
        find_links=tuple(folder.expanduser().absolute() for folder in chosen.find_links or ()),
        offline=chosen.offline,
        backend=_known(chosen.backend or session.environ.get(BACKEND_VARIABLE) or None),
        base=chosen.base or session.environ.get(BASE_VARIABLE) or None,
        frozen=chosen.frozen,
        editable=chosen.editable,
    )


def _known(backend: str | None) -> str | None:
    if backend is None or backend in BACKENDS:
        return backend
    raise unknown_name("There is no backend", backend, BACKENDS)
