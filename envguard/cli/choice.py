"""Which environments and editions a user means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envguard.errors import BadInput

if TYPE_CHECKING:
    from envguard.catalog import Catalog, Edition, Environment


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
