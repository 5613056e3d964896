"""The ways out of a conflict that the catalog has."""

from __future__ import annotations

from envguard.catalog.shipped import builtin_catalog
from envguard.doctor.alternatives import Alternative, alternatives_to
from envguard.doctor.conflicts import Conflict
from envguard.locks.proofs import proofs_path, read_proofs


def ways_for(conflict: Conflict) -> tuple[Alternative, ...]:
    """What envguard's own catalog has to end a conflict."""
    environments = tuple(builtin_catalog().environments.values())
    proofs = {
        (environment.name, edition.name): read_proofs(
            proofs_path(environment.lockfiles, environment.name, edition.name)
        )
        for environment in environments
        for edition in environment.editions
    }
    return alternatives_to(conflict, environments, proofs)
