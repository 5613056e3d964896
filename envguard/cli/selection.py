"""Which catalog, environments, editions and Pythons a command means, and where its steps run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.catalog.model import Catalog, Edition, Environment
from envguard.catalog.projects import load_catalog, named_environment
from envguard.cli.session import Session
from envguard.errors import BadInput
from envguard.table_reader import unknown_name
from envguard.trust.allowing import as_far_as_allowed


@dataclass(frozen=True, slots=True)
class Selection:
    """What the options say, as they were given; an edition or a Python that names no environment is `main`'s.

    `editable` is what works on the project's own code asks for, and no option.
    Can be pickled, so that it can go to another process.
    """

    main: str = ""
    editions: Sequence[str] | None = None
    pythons: Sequence[str] | None = None
    find_links: Sequence[Path] | None = None
    offline: bool = False
    backend: str | None = None
    base: str | None = None
    frozen: bool = False
    editable: bool = False


def catalog_of(session: Session) -> Catalog:
    """The built-in catalog and the project's, as far as its user has allowed that.

    Raises BrokenData or BadInput as `load_catalog` does.
    """
    catalog = load_catalog(session.cwd, session.environ)
    return replace(catalog, allowed=True) if session.trust else as_far_as_allowed(catalog)


def for_each(names: Iterable[str], choice: str | None) -> tuple[str, ...]:
    """One choice for all of these environments, as `--edition` and `--python` take it."""
    return tuple(f"{name}={choice}" for name in names) if choice else ()


def chosen_environments(catalog: Catalog, names: Sequence[str] | None) -> list[Environment]:
    """The environments of those names, or all of them; raises BadInput if a name is unknown."""
    return [named_environment(catalog, name) for name in names or catalog.environments]


def environments_to_write_to(catalog: Catalog, names: Sequence[str] | None) -> list[Environment]:
    """The same for commands that write beside locks: within a project, "all" means the project's own."""
    if names or catalog.project is None:
        return chosen_environments(catalog, names)
    own = [each for each in catalog.environments.values() if each.lockfiles.is_relative_to(catalog.project)]
    if not own:
        raise BadInput(
            f"The project {catalog.project} has no environments of its own.", next_step="Name the environments."
        )
    return own


def chosen_editions(environment: Environment, name: str | None, *, every: bool = False) -> tuple[Edition, ...]:
    """The edition of that name, every edition, or the preferred one; raises BadInput if the name is unknown."""
    if name is None:
        return environment.editions if every else environment.editions[:1]
    edition = environment.edition(name)
    if edition is None:
        known = [each.name for each in environment.editions]
        raise unknown_name(f"The environment {environment.name!r} has no edition", name, known)
    return (edition,)


def require_python_of(environment: Environment, edition: Edition, python: str | None) -> None:
    """Raise BadInput if the edition is not for the Python minor that was asked for."""
    if python is not None and python not in edition.pythons:
        raise BadInput(
            f"{environment.name} {edition.name} is not for Python {python!r}.",
            next_step=f"Choose one of: {', '.join(edition.pythons)}.",
        )


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
                f"Both {chosen[name]!r} and {choice!r} are chosen for {name!r}.", next_step="Choose one of them."
            )
        chosen[name] = choice
    return chosen
