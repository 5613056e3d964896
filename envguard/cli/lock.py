"""`envguard lock`: resolve environments and write their lock files."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from envguard.errors import BadInput


def lock(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ENV]...", help="Environments; all if none.")] = None,
    cut_off: Annotated[
        str | None,
        typer.Option(
            help="Consider uploads until this moment (RFC 3339, UTC). Default: the one that the lock records, "
            "else now; so locking twice gives the same file.",
        ),
    ] = None,
) -> None:
    """Resolve environments with uv for all platforms and write lockfiles/ENVIRONMENT/EDITION/cp3XX.txt."""
    from envguard.catalog import builtin_catalog
    from envguard.clock import utc_now
    from envguard.files import write_whole
    from envguard.host.variables import installer_variables
    from envguard.locks.lockfile import lock_path, read_lock
    from envguard.locks.resolver import resolve
    from envguard.locks.uv import find_uv
    from envguard.store.home import envguard_home, installer_cache

    catalog = builtin_catalog()
    for name in names or catalog.environments:
        environment = catalog.environments.get(name)
        if environment is None:
            raise BadInput(
                f"There is no environment {name!r}.", next_step=f"Choose one of: {', '.join(catalog.environments)}."
            )
        for edition in environment.editions:
            for python in edition.pythons:
                path = lock_path(environment.lockfiles, name, edition.name, python)
                recorded = read_lock(path).cut_off if path.is_file() else utc_now()
                locked = resolve(
                    environment=name,
                    edition=edition.name,
                    python=python,
                    requires=edition.requirements,
                    overrides=edition.overrides,
                    dependencies=edition.dependencies,
                    cut_off=cut_off or recorded,
                    uv=find_uv(),
                    uv_environment=installer_variables(os.environ),
                    uv_cache=installer_cache(envguard_home()),
                )
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, locked.text().encode())
                typer.echo(f"{path.relative_to(environment.lockfiles.parent)}: {len(locked.packages)} packages")
