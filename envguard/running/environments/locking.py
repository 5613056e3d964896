"""Lock the editions of a catalog with this user's index settings, or only check that their locks are up to date."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from packaging.utils import canonicalize_name
from packaging.version import Version

from envguard.catalog.model import Edition, Environment
from envguard.clock import utc_now
from envguard.errors import EnvguardError
from envguard.files import write_record
from envguard.host.secrets import without_secrets
from envguard.host.variables import installer_variables
from envguard.locks.differences import differences
from envguard.locks.late import late_files, still_holds
from envguard.locks.lockfile import Lock, LockRequest, lock_path, read_lock
from envguard.locks.proofs import Proof
from envguard.locks.pylock import Address, addresses
from envguard.locks.releases import ReleaseQuery, newest_release
from envguard.locks.resolver import CannotResolve, resolve
from envguard.locks.staleness import difference
from envguard.locks.tool_words import literal_words
from envguard.locks.uv import UvSetup, find_uv
from envguard.planning import request_of, unresolvable
from envguard.running.environments.building import builder_of
from envguard.running.environments.own.locking import locked_with_own
from envguard.running.environments.places.finding import locked_with_places
from envguard.running.environments.upgrading import pin_of, upgraded
from envguard.store.home import installer_cache

LockState = Literal["written", "unchanged", "differs", "missing", "cannot be resolved", "known not to resolve"]


@dataclass(frozen=True, slots=True)
class Relocked:
    """The outcome of locking an edition for a Python: `changes` has a line per package, `why` quotes the resolver.

    `late` names the files that the lock does not have although the index dates them before its cut-off;
    `built` are the releases whose wheels were built. `before` is the lock as it was, `after` as it was resolved now,
    whether written or not. `limit` is the date from which uploads did not count, if a lock or the user set one.
    """

    path: Path
    state: LockState
    packages: int = 0
    changes: tuple[str, ...] = ()
    why: str = ""
    late: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    before: Lock | None = None
    after: Lock | None = None
    limit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the lock file is what its edition asks for, as far as that can be resolved."""
        return self.state in ("written", "unchanged", "known not to resolve")


@dataclass(frozen=True, slots=True)
class Relocking:
    """How editions are locked again: with the index settings in `environ`, and the cache of the store at `home`.

    Only uploads before `cut_off` count; by default, before the time that the existing lock records. With `check`, the
    result is only compared. With `only`, the names of packages, everything else stays in its version if it can. What is
    at an address, or on a branch of Git, is only looked at `anew`, or for those packages.
    """

    environ: Mapping[str, str]
    home: Path
    cut_off: str | None = None
    check: bool = False
    only: frozenset[str] = frozenset()
    anew: bool = False


def lock_edition(
    environment: Environment, edition: Edition, python: str, *, cut_off: str, environ: Mapping[str, str], home: Path
) -> Lock:
    """Resolve an edition for a Python minor from uploads before `cut_off`; writes nothing.

    What has to be built is built. Raises CannotResolve or CannotAsk, and NoEnvironment if something cannot be built.
    """
    return _resolved(request_of(environment, edition, python), cut_off, environ, home)


def _resolved(request: LockRequest, cut_off: str, environ: Mapping[str, str], home: Path) -> Lock:
    with uv_of_user(environ, home) as uv:
        if request.own:
            return locked_with_own(builder_of(environ, home), request, cut_off=cut_off)
        if request.build or request.placed:
            return locked_with_places(builder_of(environ, home), request, cut_off=cut_off)
        return resolve(request, cut_off=cut_off, uv=uv)


def newer_release(query: ReleaseQuery, environ: Mapping[str, str], home: Path) -> Version | None:
    """The newest release that the user's package index has until now, None if nothing is newer; raises CannotAsk."""
    with uv_of_user(environ, home) as uv:
        return newest_release(query, cut_off=utc_now(), uv=uv)


def wheel_addresses(lock: Lock, environ: Mapping[str, str], home: Path) -> dict[str, Address]:
    """The addresses of the lock's wheels on this user's package index, by SHA-256; raises what `addresses` raises."""
    with uv_of_user(environ, home) as uv:
        return addresses(lock, uv)


@contextlib.contextmanager
def uv_of_user(environ: Mapping[str, str], home: Path) -> Iterator[UvSetup]:
    """uv as this user has set it up; masks credentials in its messages about an index before an error shows them."""
    variables = installer_variables(environ)
    try:
        yield UvSetup(find_uv(), variables, installer_cache(home))
    except EnvguardError as error:
        error.why = without_secrets(error.why, variables)
        raise


def write_lock(environment: Environment, lock: Lock) -> Path:
    """Write a lock to the folder of the environment's locks."""
    path = lock_path(environment.lockfiles, lock.environment, lock.edition, lock.python)
    write_record(path, lock.text().encode())
    return path


def relock(
    environment: Environment,
    edition: Edition,
    python: str,
    proofs: tuple[Proof, ...],
    how: Relocking,
) -> Relocked:
    """Resolve an edition again and write its lock, or only compare it with the existing lock.

    Editions that are recorded as impossible to resolve are left to `prove`, which tries them again. Raises CannotAsk if
    the package index does not answer.
    """
    path = lock_path(environment.lockfiles, environment.name, edition.name, python)
    old = read_lock(path) if path.is_file() else None
    recorded = unresolvable(environment, edition, python, proofs)
    if old is None and recorded is not None:
        return Relocked(path, "known not to resolve", why=recorded.reason)
    if old is None and how.check:
        return Relocked(path, "missing")
    if old is not None and how.only and not how.only & {canonicalize_name(each.name) for each in old.packages}:
        return Relocked(path, "unchanged", len(old.packages), before=old, after=old)
    moment = how.cut_off or (old.cut_off if old else utc_now())
    try:
        new = _renewed(_asked(environment, edition, python, old, how), old, moment, how)
    except CannotResolve as error:
        limit = "" if how.anew or how.only else how.cut_off or (old.cut_off if old else "")
        return Relocked(path, "cannot be resolved", why=literal_words(error.why), limit=limit)
    changes = differences(old, new) if old else ()
    same_date = old is not None and moment == old.cut_off and not how.only  # two upgrades can fall into one second
    if old == new or (old and same_date and _still_holds(environment, edition, old, how)):
        late = late_files(old, new) if old else ()
        return Relocked(
            path, "unchanged", len(old.packages) if old else 0, late=late, built=new.built, before=old, after=old
        )
    if not how.check:
        write_lock(environment, new)
        return Relocked(path, "written", len(new.packages), changes, built=new.built, before=old, after=new)
    withdrawn = _withdrawn(environment, edition, old, new, how) if old else ""
    return Relocked(path, "differs", len(new.packages), changes, withdrawn, before=old, after=new)


def _asked(environment: Environment, edition: Edition, python: str, old: Lock | None, how: Relocking) -> LockRequest:
    """What the catalog asks for; what the old lock has from addresses is kept, unless that is to be made anew."""
    before = old.packages if old and not how.anew else ()
    kept = tuple(each for each in before if each.address and canonicalize_name(each.name) not in how.only)
    return replace(request_of(environment, edition, python), before=kept)


def _renewed(request: LockRequest, old: Lock | None, cut_off: str, how: Relocking) -> Lock:
    """The lock that the request has now; with `how.only`, one in which as much as can be is as in the old one."""

    def resolved(request: LockRequest) -> Lock:
        return _resolved(request, cut_off, how.environ, how.home)

    return upgraded(old, request, how.only, resolved) if old and how.only else resolved(request)


def _still_holds(environment: Environment, edition: Edition, old: Lock, how: Relocking) -> bool:
    """Whether the lock is what is asked for, and complete: then what came late does not change it."""
    request = _asked(environment, edition, old.python, old, how)
    if difference(old, request):
        return False
    pins = tuple(map(pin_of, old.packages))
    try:
        return still_holds(old, _resolved(replace(request, pins=pins), old.cut_off, how.environ, how.home))
    except CannotResolve:
        return False


def _withdrawn(environment: Environment, edition: Edition, old: Lock, new: Lock, how: Relocking) -> str:
    """The locked releases that a new resolution cannot choose any more, a line for each."""
    kept = {(package.name, package.version) for package in new.packages}
    gone = []
    without = replace(environment, own=())
    for package in old.packages:
        if (package.name, package.version) in kept or package.is_given:
            continue
        pin, build = f"{package.name}=={package.version}", (package.name,) if package.build else ()
        alone = Edition(edition.name, edition.pythons, (pin,), dependencies=False, build=build)
        try:
            lock_edition(without, alone, old.python, cut_off=old.cut_off, environ=how.environ, home=how.home)
        except EnvguardError:
            gone.append(f"{package.name} {package.version} is no longer available: deleted, yanked, or without wheels.")
    return "\n".join(gone)
