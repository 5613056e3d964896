"""What ends a resolver's conflict: the known-good editions that meet part of it, and environments of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envguard.catalog.model import Edition, Environment
from envguard.doctor.conflicts import Conflict, exclude_each_other
from envguard.locks.proofs import Proof

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?P<specifier>[^;]*)")


@dataclass(frozen=True, slots=True)
class Way:
    """An edition that was proved, the Python minors that it was proved on, and the wishes that it meets."""

    environment: str
    edition: str
    requirements: tuple[str, ...]
    pythons: tuple[str, ...]
    keeps: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The way for `--json`."""
        return {
            "environment": self.environment,
            "edition": self.edition,
            "requirements": list(self.requirements),
            "proved_on": list(self.pythons),
            "keeps": list(self.keeps),
        }


def ways_out(
    conflict: Conflict, environments: Sequence[Environment], proofs: Mapping[tuple[str, str], Sequence[Proof]]
) -> tuple[Way, ...]:
    """The proved editions that hold one of the wanted packages at the wanted version, those that meet most first.

    `proofs` are by environment and edition.
    """
    wishes = [_parts(wish) for wish in (*conflict.wanted, *_brought_by(conflict))]
    ways = [
        way
        for environment in environments
        for edition in environment.editions
        if (way := _way(environment, edition, wishes, proofs.get((environment.name, edition.name), ()))).keeps
        and way.pythons
    ]
    return tuple(sorted(ways, key=lambda way: -len(way.keeps)))


def _brought_by(conflict: Conflict) -> list[str]:
    return [demand.by for demand in conflict.demands if re.search(r"[<>=!~]", demand.by)]


def _way(environment: Environment, edition: Edition, wishes: Sequence[tuple[str, str]], proofs: Sequence[Proof]) -> Way:
    has = dict(_parts(requirement) for requirement in edition.requirements)
    keeps = [
        f"{name}{specifier}"
        for name, specifier in wishes
        if name in has and has[name] and not exclude_each_other(has[name], specifier)
    ]
    works = {proof.minor for proof in proofs if proof.works}
    return Way(
        environment.name,
        edition.name,
        edition.requirements,
        tuple(python for python in edition.pythons if python in works),
        tuple(dict.fromkeys(keeps)),
    )


def _parts(requirement: str) -> tuple[str, str]:
    found = _REQUIREMENT.match(requirement)
    if found is None:
        return requirement, ""
    return re.sub(r"[-_.]+", "-", found["name"]).lower(), found["specifier"].strip()
