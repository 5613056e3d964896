"""What is installed in an environment, from its packages' metadata: what they require, and under which licenses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

LONGEST_LICENSE = 80  # characters; what is longer in that field is the text of a license, not its name
_CLASSIFIER = "License :: "
NO_EXTRA = ""


@dataclass(frozen=True, slots=True)
class License:
    """What a package says of its license, and the field that says it; both are empty if none does."""

    name: str
    field: str


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """An installed package: its canonical name, its version, what it requires, and its license."""

    name: str
    version: str
    requires: tuple[Requirement, ...]
    license: License


@dataclass(frozen=True, slots=True)
class DependencyGraph:
    """What is installed, what was asked for, and which package requires which; `missing` are required and not there."""

    packages: Mapping[str, InstalledPackage]
    roots: tuple[str, ...]
    needs: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]

    def chains(self, name: str, *, most: int = 20) -> list[tuple[str, ...]]:
        """The ways from what was asked for to a package, shortest first; at most so many, and without circles."""
        found: list[tuple[str, ...]] = []
        waiting: list[tuple[str, ...]] = [(root,) for root in self.roots]
        leads = self._leading_to(name)
        while waiting and len(found) < most:
            chain = waiting.pop(0)
            if chain[-1] == name:
                found.append(chain)
                continue
            waiting += [(*chain, each) for each in self.needs.get(chain[-1], ()) if each in leads and each not in chain]
        return found

    def _leading_to(self, name: str) -> set[str]:
        leads = {name}
        while more := {each for each, needs in self.needs.items() if each not in leads and leads & set(needs)}:
            leads |= more
        return leads


def read_packages(site_packages: Path) -> dict[str, InstalledPackage]:
    """The packages in a folder, by canonical name."""
    found = (_package(folder) for folder in sorted(site_packages.glob("*.dist-info")))
    return {each.name: each for each in found}


def dependency_graph(
    packages: Mapping[str, InstalledPackage], requirements: Sequence[str], markers: Mapping[str, str]
) -> DependencyGraph:
    """Who requires whom, for an interpreter's `markers`; `requirements` are those of the environment itself."""
    asked = [each for each in map(Requirement, requirements) if _holds(each, [NO_EXTRA], markers)]
    extras: dict[str, set[str]] = {}
    waiting = list(asked)
    while waiting:
        each = waiting.pop()
        name, wanted = canonicalize_name(each.name), {NO_EXTRA, *each.extras}
        new = wanted - extras.get(name, set())
        if new:
            extras.setdefault(name, set()).update(new)
            waiting += _required(packages, name, extras[name], markers)
    needs = {name: _names(_required(packages, name, chosen, markers)) for name, chosen in extras.items()}
    missing = tuple(sorted(name for name in extras if name not in packages))
    return DependencyGraph(packages, _names(asked), needs, missing)


def _required(
    packages: Mapping[str, InstalledPackage], name: str, extras: Iterable[str], markers: Mapping[str, str]
) -> list[Requirement]:
    chosen = list(extras)
    return [each for each in packages[name].requires if _holds(each, chosen, markers)] if name in packages else []


def _holds(requirement: Requirement, extras: Iterable[str], markers: Mapping[str, str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in extras)


def _names(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonicalize_name(each.name) for each in requirements))


def _package(folder: Path) -> InstalledPackage:
    try:
        text = (folder / "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    metadata = HeaderParser().parsestr(text)
    name, _, version = folder.name.removesuffix(".dist-info").partition("-")
    requires = []
    for line in metadata.get_all("Requires-Dist") or ():
        try:
            requires.append(Requirement(line))
        except InvalidRequirement:  # of an old tool; installers leave it out, too
            continue
    return InstalledPackage(
        canonicalize_name(metadata["Name"] or name), metadata["Version"] or version, tuple(requires), _license(metadata)
    )


def _license(metadata: Message) -> License:
    expression = " ".join((metadata["License-Expression"] or "").split())
    if expression:
        return License(expression, "License-Expression")
    classifiers = [each.rsplit(" :: ", 1)[-1] for each in metadata.get_all("Classifier") or () if _names_one(each)]
    if classifiers:
        return License(", ".join(classifiers), "Classifier")
    said = " ".join((metadata["License"] or "").split())
    if said and said.upper() != "UNKNOWN" and len(said) <= LONGEST_LICENSE:
        return License(said, "License")
    return License("", "")


def _names_one(classifier: str) -> bool:
    return classifier.startswith(_CLASSIFIER) and classifier != "License :: OSI Approved"
