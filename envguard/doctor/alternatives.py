"""Known-good editions that a user can take instead of requirements that conflict."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envguard.catalog.model import Edition, Environment
from envguard.doctor.conflicts import Conflict
from envguard.doctor.specifiers import exclude_each_other
from envguard.locks.proofs import Proof

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?P<specifier>[^;]*)")


@dataclass(frozen=True, slots=True)
class Alternative:
    """A proved edition, the Python minors it was proved on, and the wanted requirements that it satisfies (`keeps`)."""

    environment: str
    edition: str
    requirements: tuple[str, ...]
    pythons: tuple[str, ...]
    keeps: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The alternative for `--json`."""
        return {
            "environment": self.environment,
            "edition": self.edition,
            "requirements": list(self.requirements),
            "proved_on": list(self.pythons),
            "keeps": list(self.keeps),
        }


def alternatives_to(
    conflict: Conflict, environments: Sequence[Environment], proofs: Mapping[tuple[str, str], Sequence[Proof]]
) -> tuple[Alternative, ...]:
    """The proved editions that satisfy at least one of the wanted requirements, those that satisfy the most first.

    `proofs` are by environment and edition.
    """
    wishes = [_parts(wish) for wish in (*conflict.wanted, *_brought_by(conflict))]
    found = [
        each
        for environment in environments
        for edition in environment.editions
        if (each := _alternative(environment, edition, wishes, proofs.get((environment.name, edition.name), ()))).keeps
        and each.pythons
    ]
    return tuple(sorted(found, key=lambda each: -len(each.keeps)))


def _brought_by(conflict: Conflict) -> list[str]:
    return [demand.by for demand in conflict.demands if re.search(r"[<>=!~]", demand.by)]


def _alternative(
    environment: Environment, edition: Edition, wishes: Sequence[tuple[str, str]], proofs: Sequence[Proof]
) -> Alternative:
    has = dict(_parts(requirement) for requirement in edition.requirements)
    keeps = [
        f"{name}{specifier}"
        for name, specifier in wishes
        if name in has and has[name] and not exclude_each_other(has[name], specifier)
    ]
    works = {proof.minor for proof in proofs if proof.works}
    return Alternative(
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
