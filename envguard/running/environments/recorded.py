"""The locks, proofs and audits that are recorded for an environment, and what of the store they need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envguard.catalog.model import Catalog, Environment
from envguard.catalog.projects import named_environment
from envguard.errors import NoEnvironment
from envguard.locks.audits import Audit, audits_path, read_audits
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.proofs import Proof, proofs_path, read_proofs
from envguard.planning import LockKey
from envguard.store.removing import Sweep, prune


def recorded_locks(environment: Environment) -> dict[LockKey, Lock]:
    """The locks that an environment has, by edition and Python minor."""
    return {key: read_lock(path) for key, path in _lock_files(environment) if path.is_file()}


def _lock_files(environment: Environment) -> Iterator[tuple[LockKey, Path]]:
    for edition in environment.editions:
        for python in edition.pythons:
            path = lock_path(environment.lockfiles, environment.name, edition.name, python)
            yield (edition.name, python), path


def prune_unneeded(home: Path, catalog: Catalog, *, dry_run: bool) -> Sweep:
    """Remove from the store what no lock of a catalog needs, as `prune` does."""
    locks = {name: tuple(recorded_locks(each).values()) for name, each in catalog.environments.items()}
    own = (package for each in locks.values() for lock in each for package in lock.packages if package.is_own)
    needed = frozenset(wheel.sha256 for package in own for wheel in package.wheels)
    digests = {name: frozenset(lock.digest for lock in each) for name, each in locks.items()}
    return prune(home, digests, needed=needed, dry_run=dry_run)


def refuse_unlocked(environment: Environment) -> None:
    """Raise NoEnvironment for an environment without any lock, instead of a reason for each Python.

    Recorded failures to lock say more than that, so with one of these nothing is raised.
    """
    if any(path.is_file() for _, path in _lock_files(environment)) or any(recorded_proofs(environment).values()):
        return
    raise NoEnvironment(
        f"The environment {environment.name!r} has no lock yet.",
        why=f"no lock is in {environment.lockfiles / environment.name}",
        next_step=f"Create it with `envguard lock {environment.name}`, commit it, and run the same command again.",
    )


def locked_environment(catalog: Catalog, name: str) -> Environment:
    """The environment of that name, which has a lock; raises BadInput, or NoEnvironment as `refuse_unlocked` does."""
    environment = named_environment(catalog, name)
    refuse_unlocked(environment)
    return environment


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
