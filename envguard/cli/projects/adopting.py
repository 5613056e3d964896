"""`envguard init --from`: the text of an envguard.toml made from what a project has, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement

from envguard.adopting.catalog_text import catalog_text, environment_name, pythons_of
from envguard.adopting.found import Found, Wanted, refusal
from envguard.adopting.reading import read_project
from envguard.catalog.projects import PROJECT_FILE
from envguard.catalog.reading import catalog_from
from envguard.catalog.shipped import builtin_catalog
from envguard.cli.screen import screen
from envguard.cli.session import Session
from envguard.cli.workshop import open_workshop
from envguard.planning import best_interpreter
from envguard.requirement import place_of
from envguard.running.environments.served import without_wheels
from envguard.store.home import envguard_home
from envguard.toml import parse_toml


@dataclass(frozen=True, slots=True)
class Adopted:
    """The text of an envguard.toml, and a sentence for each thing that is not in it as it was in the file.

    With `own`, code of the project is built, which its user has to trust first.
    """

    text: str
    notes: tuple[str, ...]
    own: bool = False


def adopt(source: Path, wanted: Wanted, folder: Path, session: Session) -> Adopted:
    """Read a file, and write the environment that it asks for; `folder` is that of the envguard.toml.

    Only what conda would install is asked of the package index. Raises BadInput for a file that cannot be used.
    """
    builtin = builtin_catalog()
    beside = source.absolute().parent.resolve() == folder.resolve()
    found = read_project(source, replace(wanted, own=beside), builtin.pythons)
    pythons = pythons_of(found, builtin.pythons)
    if found.pythons is None and not found.requires_python:
        said = f"{source.name} names no Python, so this is for {pythons[0]}: add others to pythons."
        found = replace(found, notes=(*found.notes, said))
    if found.own or any(map(_is_source, found.requirements)):
        found, pythons = _where_it_can_be_built(found, pythons, session)
    found = _with_wheels(found, pythons[0], session)
    if not found.requirements and not found.own:
        raise refusal(
            source, "\n".join(("it requires nothing that can be locked", *found.notes)), "Name a file that does."
        )
    name = environment_name(found.name or folder.name, builtin.environments)
    text = catalog_text(found, source=source.name, name=name, pythons=pythons)
    # What is written must be what every other command reads.
    catalog_from(parse_toml(text), source=PROJECT_FILE, lockfiles=Path("lockfiles"), folder=folder, base=builtin)
    return Adopted(text, found.notes, found.own)


def _is_source(requirement: str) -> bool:
    place = place_of(Requirement(requirement))
    return place is not None and place.kind in ("sdist", "git")


def _where_it_can_be_built(found: Found, pythons: Sequence[str], session: Session) -> tuple[Found, tuple[str, ...]]:
    """The Pythons that this host has: what comes as source is built on each that a lock is for."""
    with screen() as receive:
        interpreters = open_workshop(session, builtin_catalog(), receive).host.interpreters
    here = tuple(each for each in pythons if best_interpreter(interpreters, each))
    left = [each for each in pythons if each not in here]
    if not here or not left:
        return found, tuple(pythons)
    said = (
        f"Left out of pythons: {', '.join(left)}, which this host does not have. A package that is source is built "
        "for each Python that is locked; add one where it is installed."
    )
    return replace(found, notes=(*found.notes, said)), here


def _with_wheels(found: Found, python: str, session: Session) -> Found:
    """Of the packages that may be on the package index, those that are and have wheels."""
    if not found.perhaps:
        return found
    missing = without_wheels(found.perhaps, python, session.environ, envguard_home())
    taken = tuple(each for each in found.perhaps if each not in missing)
    notes = [
        f"{each} was left out: the package index has no wheel of it for Python {python}. It may have another name "
        "there, or be no package of Python's."
        for each in missing
    ]
    if taken:
        notes.append(
            f"From the package index instead of from conda, because of the same name: {', '.join(taken)}. "
            "Check that each is what you mean."
        )
    return replace(found, requirements=(*found.requirements, *taken), notes=(*found.notes, *notes))
