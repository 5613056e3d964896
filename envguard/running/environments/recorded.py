"""The locks, proofs and audits that are recorded for an environment."""

from __future__ import annotations

from envguard.catalog.model import Environment
from envguard.locks.audits import Audit, audits_path, read_audits
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.proofs import Proof, proofs_path, read_proofs
from envguard.planning import LockKey


def recorded_locks(environment: Environment) -> dict[LockKey, Lock]:
    """The locks that an environment has, by edition and Python minor."""
    locks = {}
    for edition in environment.editions:
        for python in edition.pythons:
            path = lock_path(environment.lockfiles, environment.name, edition.name, python)
            if path.is_file():
                locks[edition.name, python] = read_lock(path)
    return locks


def recorded_proofs(environment: Environment) -> dict[str, tuple[Proof, ...]]:
    """The proofs of an environment's locks, by edition."""
    return {
        edition.name: read_proofs(proofs_path(environment.lockfiles, environment.name, edition.name))
        for edition in environment.editions
    }


def recorded_audits(environment: Environment) -> dict[str, tuple[Audit, ...]]:
    """The audits of an environment's locks, by edition."""
    return {
        edition.name: read_audits(audits_path(environment.lockfiles, environment.name, edition.name))
        for edition in environment.editions
    }
