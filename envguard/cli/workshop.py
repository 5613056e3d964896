"""What every command that needs environments starts from: this host, this user's store, this catalog."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.backends.table import BACKENDS
from envguard.errors import BadInput

if TYPE_CHECKING:
    from envguard.catalog import Catalog
    from envguard.running.events import Receiver
    from envguard.running.preparing import Workshop


def open_workshop(
    catalog: Catalog,
    receive: Receiver,
    editions: Mapping[str, str] | None = None,
    *,
    pythons: Mapping[str, str] | None = None,
    find_links: Sequence[Path] | None = None,
    offline: bool = False,
    backend: str | None = None,
    base: str | None = None,
) -> Workshop:
    """A workshop with the process's own variables; `editions` and `pythons` by environment narrow the choice.

    `find_links` are folders of wheels to install from, instead of the package index. Only the `backend` is used, and
    its images are built on `base`; the defaults of both are ENVGUARD_BACKEND and ENVGUARD_BASE_IMAGE, if they are set.
    """
    from envguard.running.preparing import Workshop
    from envguard.store.home import envguard_home

    return Workshop(
        home=envguard_home(),
        user_home=Path.home(),
        environ=catalog.index.under(os.environ),
        catalog=catalog,
        receive=receive,
        editions=editions or {},
        pythons=pythons or {},
        find_links=tuple(folder.expanduser().absolute() for folder in find_links or ()),
        offline=offline,
        backend=_known(backend or os.environ.get("ENVGUARD_BACKEND") or None),
        base=base or os.environ.get("ENVGUARD_BASE_IMAGE") or None,
    )


def workshop_for(
    main: str,
    catalog: Catalog,
    receive: Receiver,
    *,
    editions: Sequence[str] | None,
    pythons: Sequence[str] | None,
    find_links: Sequence[Path] | None,
    offline: bool,
) -> Workshop:
    """A workshop as a command's options say; `--edition` and `--python` that name no environment are for `main`."""
    from envguard.cli.choice import by_environment

    return open_workshop(
        catalog,
        receive,
        by_environment(editions, catalog, main=main),
        pythons=by_environment(pythons, catalog, main=main),
        find_links=find_links,
        offline=offline,
    )


def _known(backend: str | None) -> str | None:
    if backend is None or backend in BACKENDS:
        return backend
    raise BadInput(f"There is no backend {backend!r}.", next_step=f"Choose one of: {', '.join(BACKENDS)}.")
