"""Which environments and editions a user means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envguard.backends.table import BACKENDS
from envguard.errors import BadInput

if TYPE_CHECKING:
    from envguard.catalog import Catalog, Edition, Environment

EditionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--edition",
        metavar="[ENV=]NAME",
        help="Instead of the preferred edition, such as 0.9, or verify=1.2 for another of the task's environments.",
    ),
]
PythonsOption = Annotated[
    list[str] | None,
    typer.Option("--python", metavar="[ENV=]3.X", help="Instead of the preferred Python; ENV as for --edition."),
]
FindLinksOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--find-links",
        metavar="FOLDER",
        help="Install from this folder of wheels and from no package index; can be given for each environment.",
    ),
]


def _choose_backend(value: str | None) -> str | None:
    """Kept in the variable that says the same, so that processes which a command starts follow it too."""
    if value is not None:
        os.environ["ENVGUARD_BACKEND"] = value
    return value


def _choose_base(value: str | None) -> str | None:
    if value is not None:
        os.environ["ENVGUARD_BASE_IMAGE"] = value
    return value


BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="|".join(BACKENDS),
        callback=_choose_backend,
        help="Where steps run. Default: ENVGUARD_BACKEND, else here, or in containers where no Python here fits.",
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="IMAGE",
        callback=_choose_base,
        help="The image to build on, which brings a Python; {python} in it stands for the minor. "
        "Default: ENVGUARD_BASE_IMAGE, else the catalog's.",
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Use no network.")]


def chosen_environments(catalog: Catalog, names: Sequence[str] | None) -> list[Environment]:
    """The environments of those names, or all of them; raises BadInput for one that there is not."""
    found = []
    for name in names or catalog.environments:
        environment = catalog.environments.get(name)
        if environment is None:
            raise BadInput(
                f"There is no environment {name!r}.", next_step=f"Choose one of: {', '.join(catalog.environments)}."
            )
        found.append(environment)
    return found


def environments_to_write_to(catalog: Catalog, names: Sequence[str] | None) -> list[Environment]:
    """The same for what writes beside locks: in a project, all of them are all of the project's own."""
    if names or catalog.project is None:
        return chosen_environments(catalog, names)
    own = [each for each in catalog.environments.values() if each.lockfiles.is_relative_to(catalog.project)]
    if not own:
        raise BadInput(
            f"The project {catalog.project} has no environments of its own.", next_step="Name those that you mean."
        )
    return own


def chosen_editions(environment: Environment, name: str | None, *, every: bool = False) -> tuple[Edition, ...]:
    """The edition of that name, every edition, or the preferred one; raises BadInput for one that there is not."""
    if name is None:
        return environment.editions if every else environment.editions[:1]
    edition = environment.edition(name)
    if edition is None:
        known = ", ".join(each.name for each in environment.editions)
        raise BadInput(
            f"The environment {environment.name!r} has no edition {name!r}.", next_step=f"Choose one of: {known}."
        )
    return (edition,)


def by_environment(values: Sequence[str] | None, catalog: Catalog, *, main: str) -> dict[str, str]:
    """`0.9` chooses for the environment `main`, `verify=1.2` for the one it names; each at most once."""
    chosen: dict[str, str] = {}
    for value in values or ():
        name, equals, choice = value.partition("=")
        if not equals:
            name, choice = main, value
        chosen_environments(catalog, [name])
        if name in chosen:
            raise BadInput(
                f"Both {chosen[name]!r} and {choice!r} are asked for {name!r}.", next_step="Ask for one of them."
            )
        chosen[name] = choice
    return chosen
