"""The wheels of a lock that no index has: where they are, or made to be there again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from envguard.backends.building.fetching import is_file_of
from envguard.catalog.model import Environment
from envguard.errors import NoEnvironment
from envguard.host.platform import marker_environment
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel
from envguard.locks.wheels import needed_packages
from envguard.planning import Candidate, request_of
from envguard.requirement import Place
from envguard.running.environments.building import Builder
from envguard.running.environments.places.fetching import built_again, fetched_wheel
from envguard.store.built import kept_wheel


def own_wheels(builder: Builder, lock: Lock, environment: Environment) -> tuple[Path, ...]:
    """The lock's wheels that no index has: of the project or an address, built here, or in a folder of the user's.

    Those that are missing are fetched or built again. Raises NoEnvironment if one cannot be, or is another than the
    lock's.
    """
    found = []
    for package in lock.packages:
        for wheel in package.wheels if package.is_own else ():
            folders = builder.installer.find_links
            given = (each / wheel.filename for each in folders if is_file_of(each / wheel.filename, wheel.sha256))
            kept = next(given, None) or kept_wheel(builder.home, wheel.filename, wheel.sha256)
            found.append(kept or _missing(builder, package, wheel, lock, environment))
    return tuple(found)


def needed_of(candidate: Candidate) -> Lock:
    """A candidate's lock without the packages that its interpreter does not need."""
    needed = needed_packages(candidate.lock.packages, marker_environment(candidate.interpreter))
    return replace(candidate.lock, packages=needed)


def _missing(
    builder: Builder, package: LockedPackage, wheel: LockedWheel, lock: Lock, environment: Environment
) -> Path:
    if package.file:
        return _of_project(environment.folder / package.file, wheel, lock)
    if package.address and package.build:
        return built_again(builder, place_of_package(package, lock, environment), package, wheel, lock)
    if package.address:
        return fetched_wheel(builder, place_of_package(package, lock, environment), package.name, wheel.sha256)
    return builder.built_again(package, wheel, lock)


def place_of_package(package: LockedPackage, lock: Lock, environment: Environment) -> Place:
    """Where the catalog says that a package is; raises NoEnvironment if it does not say so any more."""
    edition = environment.edition(lock.edition)
    placed = request_of(environment, edition, lock.python).placed if edition else ()
    for _, place in placed:
        if place.digest == package.address:
            return place
    raise NoEnvironment(
        f"The catalog does not say any more where {package.name} {package.version} of the lock is from.",
        why="a lock has the hash of an address and not the address",
        next_step=f"Lock again: envguard lock {lock.environment}",
    )


def _of_project(path: Path, wheel: LockedWheel, lock: Lock) -> Path:
    if not is_file_of(path, wheel.sha256):
        raise NoEnvironment(
            f"The wheel {path} is not the one of the lock.",
            why=f"its SHA-256 is not {wheel.sha256}" if path.is_file() else "there is no such file",
            next_step=f"Put that one there, or lock the one that is there: envguard lock {lock.environment}",
        )
    return path
