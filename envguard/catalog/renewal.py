"""What an environment leads with, and how a newer release of it becomes an edition."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from envguard.catalog.model import Edition, Environment
from envguard.requirement import parsed

PIN = re.compile(r"(?P<sign>==\s*)[^\s;,)]+")
NOT_IN_NAMES = re.compile(r"[^a-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Line:
    """The editions of an environment that lead with the same package, which is the first that each of them pins.

    `newest` is the offered one with the highest `version`; `known` are the versions of all, those on record too.
    """

    package: str
    version: Version
    newest: Edition
    known: tuple[Version, ...]


def lines_of(environment: Environment) -> tuple[Line, ...]:
    """The lines of an environment, in the order of its editions; none if no edition that is offered pins a release."""
    found: dict[str, Line] = {}
    led = [(edition, lead) for edition in environment.editions if (lead := _lead(edition)) is not None]
    for edition, (package, version) in led:
        if edition.offered and (package not in found or found[package].version < version):
            known = tuple(sorted({each for _, (name, each) in led if name == package}))
            found[package] = Line(package, version, edition, known)
    return tuple(found.values())


def _lead(edition: Edition) -> tuple[str, Version] | None:
    return next((pin for requirement in edition.requirements if (pin := pin_of(requirement)) is not None), None)


def pin_of(requirement: str) -> tuple[str, Version] | None:
    """The package and the one version that a requirement admits, if it pins one."""
    read = parsed(requirement, local=True)
    specifiers = list(read.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != "==" or specifiers[0].version.endswith(".*"):
        return None
    return canonicalize_name(read.name), Version(specifiers[0].version)


def free_leads(environment: Environment) -> tuple[tuple[Edition, Requirement], ...]:
    """The offered editions that pin nothing, each with what it names first; their locks say which release that is."""
    free = [each for each in environment.editions if each.offered and each.requirements and _lead(each) is None]
    return tuple((edition, lead) for edition in free if not (lead := parsed(edition.requirements[0], local=True)).url)


def candidates(environment: Environment, line: Line, version: Version) -> tuple[Edition, ...]:
    """How the line's newest edition would be with another release: in the order in which to try them.

    What it pins to the very version of the lead is released together with it, and moves with it; if that is not so, the
    lead alone moves. Of the rest, the last one asks for newer releases too, if need be: `>=` stands for its other pins.
    """
    edition = replace(line.newest, name=_name(environment, version), offered=True)
    together = {pin[0] for text in _texts(edition) if (pin := pin_of(text)) is not None and pin[1] == line.version}
    made = [_moved(edition, line, version, names, loose=False) for names in (together, {line.package})]
    made.append(_moved(edition, line, version, {line.package}, loose=True))
    return tuple(each for number, each in enumerate(made) if each not in made[:number])


def is_loose(edition: Edition, line: Line) -> bool:
    """Whether a candidate asks for newer releases of what the line's newest edition pins."""
    return any(pin_of(new) is None and pin_of(old) is not None for new, old in _pairs(edition, line.newest))


def tightened(edition: Edition, line: Line, versions: dict[str, str]) -> Edition:
    """A loose candidate with pins where the newest edition has them, at these versions by package."""

    def pinned(new: str, old: str) -> str:
        if pin_of(new) is not None or pin_of(old) is None:
            return new
        name = canonicalize_name(parsed(new, local=True).name)
        return PIN.sub(rf"\g<sign>{versions[name]}", old, count=1) if name in versions else old

    texts = [pinned(new, old) for new, old in _pairs(edition, line.newest)]
    count = len(edition.requirements)
    return replace(edition, requirements=tuple(texts[:count]), overrides=tuple(texts[count:]))


def placed(editions: tuple[Edition, ...], new: Edition, beside: str, *, before: bool) -> tuple[Edition, ...]:
    """The editions with a new one before or after the one named `beside`."""
    where = [edition.name for edition in editions].index(beside) + (not before)
    return (*editions[:where], new, *editions[where:])


def _moved(edition: Edition, line: Line, version: Version, names: Collection[str], *, loose: bool) -> Edition:
    def moved(text: str) -> str:
        pin = pin_of(text)
        if pin is None:
            return text
        if pin[0] in names and pin[1] == line.version:
            return PIN.sub(rf"\g<sign>{version}", text, count=1)
        return PIN.sub(f">={pin[1]}", text, count=1) if loose else text

    return replace(
        edition,
        requirements=tuple(map(moved, edition.requirements)),
        overrides=tuple(map(moved, edition.overrides)),
    )


def _name(environment: Environment, version: Version) -> str:
    """A name for the edition of a version that no edition has."""
    name = NOT_IN_NAMES.sub("-", str(version).lower())
    taken = {edition.name for edition in environment.editions}
    names = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 2))]
    return next(each for each in names if each not in taken)


def _texts(edition: Edition) -> tuple[str, ...]:
    return (*edition.requirements, *edition.overrides)


def _pairs(edition: Edition, old: Edition) -> Iterator[tuple[str, str]]:
    return zip(_texts(edition), _texts(old), strict=True)
