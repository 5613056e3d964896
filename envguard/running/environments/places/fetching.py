"""Fetch what is at the address of a requirement, into the store, by its hash."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.building.fetching import fetch, is_file_of
from envguard.backends.building.git import Repository
from envguard.errors import NoEnvironment
from envguard.files import file_facts
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel
from envguard.locks.sdists.built import LockedBuild
from envguard.requirement import Place
from envguard.running.environments.building import Builder
from envguard.store.built import built_wheels_folder, sdists_folder
from envguard.store.scratch import runs_folder, scratch_folder
from envguard.system.moving import replace


def fetched_wheel(builder: Builder, place: Place, name: str, sha256: str) -> Path:
    """The wheel at an address, with that hash if one is known; raises NoEnvironment."""
    refuse_without_network(builder, place.filename)
    folder = built_wheels_folder(builder.home)
    variables = builder.installer.variables
    return fetch(place.where, place.filename, folder, variables, sha256=sha256, advice=_of_another(name))


@dataclass(frozen=True, slots=True)
class Source:
    """Source that is in the store now, as what a wheel is built from, and the commit of Git that it is."""

    build: LockedBuild
    commit: str = ""


def fetched_source(builder: Builder, place: Place, name: str, before: LockedPackage | None = None) -> Source:
    """The archive at an address, or the files of a commit; of an earlier lock if one is given. Raises NoEnvironment."""
    folder, variables = sdists_folder(builder.home), builder.installer.variables
    expected = before.build.sha256 if before and before.build else place.sha256
    if place.kind == "sdist":
        advice = _of_another(name)
        path = fetch(place.where, place.filename, folder, variables, sha256=expected, advice=advice)
        return Source(LockedBuild(path.name, path.parent.name))
    with scratch_folder(runs_folder(builder.home)) as scratch:
        repository = Repository(scratch / "repository", variables, builder.environ)
        commit = repository.fetch(place, before.commit if before else "")
        packed = scratch / f"{name}-{commit}.tar"
        repository.pack(place, commit, packed)
        found = file_facts(packed).sha256
        if expected and found != expected:
            raise NoEnvironment(
                f"The files of {place.where} at {commit} are not those of the lock.",
                why=f"their SHA-256 is {found}, not {expected}; nothing of them was run",
                next_step=_of_another(name),
            )
        target = folder / found / packed.name
        target.parent.mkdir(parents=True, exist_ok=True)
        replace(packed, target)
    return Source(LockedBuild(target.name, found, subdirectory=place.subdirectory), commit)


def built_again(builder: Builder, place: Place, package: LockedPackage, wheel: LockedWheel, lock: Lock) -> Path:
    """The wheel of a lock that came without it, from the same source; raises NoEnvironment if another comes out."""
    assert package.build is not None
    refuse_without_network(builder, wheel.filename)
    if not is_file_of(
        sdists_folder(builder.home) / package.build.sha256 / package.build.filename, package.build.sha256
    ):
        fetched_source(builder, place, package.name, package)
    build = dataclasses.replace(package.build, subdirectory=place.subdirectory)
    return builder.built_again(dataclasses.replace(package, build=build), wheel, lock)


def refuse_without_network(builder: Builder, filename: str) -> None:
    """Raise NoEnvironment if nothing may be fetched."""
    if builder.installer.offline or builder.installer.find_links:
        raise NoEnvironment(
            f"{filename} is not here.",
            why="nothing may be fetched; it is neither in the store nor in a folder named with --find-links",
            next_step="Bring it with `envguard export ENV --format wheelhouse` from a machine that has it, or run the "
            "same command once with a network.",
        )


def _of_another(name: str) -> str:
    return (
        "Find out who changed what is at the address. If that is as it should be, correct the #sha256= of the "
        f"requirement if it has one, and lock it anew: envguard lock --upgrade-package {name}"
    )
