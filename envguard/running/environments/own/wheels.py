"""Build the wheels of a project's own packages from the code that a candidate is made with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envguard import __version__
from envguard.backends.building.compilers import compiler_for
from envguard.errors import NoEnvironment
from envguard.files import file_facts
from envguard.locks.lockfile import LockedPackage, LockedWheel
from envguard.locks.sdists.own import LockedOwn
from envguard.locks.staleness import StaleLock
from envguard.planning import Candidate, request_of
from envguard.running.environments.building import Builder, packages_of
from envguard.running.environments.own.editable import settled
from envguard.running.environments.own.locking import wheel_requires
from envguard.running.environments.own.sheds import python_for, say, shed_for
from envguard.store.built import BuildRecord, keep_wheel, kept_wheel, read_build, write_build


@dataclass(frozen=True, slots=True)
class OwnWheel:
    """A wheel of a package of the project's own, and what it is as a package to install."""

    package: LockedPackage
    path: Path


def own_wheels_of(candidate: Candidate, builder: Builder) -> tuple[OwnWheel, ...]:
    """The wheels of the candidate's own code, editable where the candidate is.

    Raises NoEnvironment if one cannot be built, and StaleLock if one requires what the lock does not have.
    """
    digests = dict(candidate.own.sources)
    return tuple(_wheel(candidate, each, digests[each.path], builder) for each in candidate.lock.own)


def _wheel(candidate: Candidate, locked: LockedOwn, digest: str, builder: Builder) -> OwnWheel:
    """The wheel that was built of the same before, if it is kept, or one that is built now."""
    source = candidate.environment.folder / locked.path if candidate.own.editable and locked.editable else None
    python = python_for(builder, candidate.lock.python, locked.name)
    compiler = compiler_for(python.real_path, builder.environ)
    made_of = (locked, digest, str(source), python.facts.as_json(), compiler, __version__)
    key = hashlib.sha256(repr(made_of).encode()).hexdigest()
    before = read_build(builder.home, key)
    wheel = kept_wheel(builder.home, before.wheel, before.sha256) if before else None
    if wheel is None:
        wheel = _built(candidate, locked, digest, builder)
        write_build(builder.home, key, BuildRecord((), "", wheel.name, file_facts(wheel).sha256))
    name, version = _release(wheel, locked)
    file = LockedWheel(wheel.name, file_facts(wheel).sha256)
    return OwnWheel(LockedPackage(name, version, "", (file,), file=locked.path), wheel)


def _built(candidate: Candidate, locked: LockedOwn, digest: str, builder: Builder) -> Path:
    lock, source = candidate.lock, candidate.environment.folder / locked.path
    editable = candidate.own.editable != "" and locked.editable
    say(builder, locked.name, "it is installed editable" if editable else "its wheel is built from its code")
    python = python_for(builder, lock.python, locked.name)
    tools = replace(lock, packages=packages_of(locked.tools), npm=(), build=(), own=())
    with shed_for(builder, locked.name, source, python, tools) as shed:
        if shed.digest(editable=editable) != digest:
            raise NoEnvironment(
                f"The code of {locked.name} changed while it was built.", next_step="Run the same command again."
            )
        made = shed.yard.made(locked.name, shed.system, "editable" if editable else "wheel")
        if editable:
            made = settled(made, shed.yard, source, locked.name)
        _release(made, locked)
        _refuse_stale(candidate, locked, made)
        return keep_wheel(builder.home, made)


def _release(wheel: Path, locked: LockedOwn) -> tuple[str, str]:
    try:
        name, version, *_ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise NoEnvironment(
            f"The build of {locked.name} made {wheel.name}, which is no wheel.",
            why=str(error),
            next_step="Correct the name and the version of the package.",
        ) from error
    if name != locked.name:
        raise NoEnvironment(
            f"The package in {locked.path} is {name}, and was locked as {locked.name}.",
            next_step="Lock it again with `envguard lock`.",
        )
    return str(name), str(version)


def _refuse_stale(candidate: Candidate, locked: LockedOwn, wheel: Path) -> None:
    """Refuse a wheel that requires something else than was locked, where no file could tell that before."""
    said = next((each.requires for each in candidate.environment.own if each.path == locked.path), ())
    if said is not None or candidate.stale:
        return
    now = wheel_requires(wheel)
    if set(now) != set(locked.requires):
        changed = sorted(set(now) ^ set(locked.requires))[0]
        how = "requires" if changed in now else "does not require"
        request = request_of(candidate.environment, candidate.edition, candidate.lock.python)
        raise StaleLock(request, f"the package in {locked.path} now {how} {changed!r}")
