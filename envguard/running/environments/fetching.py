"""Where no Python here fits: which one would, and fetching it into the store if the user allows that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.backends.installers.fetching import MIRROR, fetch_python
from envguard.backends.installers.settings import Installer
from envguard.backends.protocol import Backend
from envguard.backends.table import HOST
from envguard.catalog.model import Environment
from envguard.errors import MissingPython, NoEnvironment
from envguard.host.interpreters import HostFacts
from envguard.host.locations import FETCHED
from envguard.host.secrets import without_secrets
from envguard.locks.lockfile import Lock
from envguard.locks.proofs import Proof
from envguard.planning import Candidate, LockKey, Pythons, Wanted, candidate_on, imagined, stale_for
from envguard.store.durability import make_durable
from envguard.store.locking import build_lock
from envguard.store.pythons import FETCHING_LOCK

OPTION = "--fetch-python"


def fetchable_minor(
    wanted: Wanted, host: HostFacts, locks: Mapping[LockKey, Lock], proofs: Mapping[str, Sequence[Proof]]
) -> str:
    """The first Python minor that this host lacks and that would do, as far as wheels and proofs tell; else empty."""
    environment = wanted.environment
    for edition in environment.editions:
        if wanted.edition not in (None, edition.name) or not (edition.offered or wanted.edition):
            continue
        for minor in edition.pythons:
            lock, like = locks.get((edition.name, minor)), imagined(host.interpreters, minor)
            if wanted.python not in (None, minor) or lock is None or like is None:
                continue
            if stale_for(environment, edition, minor, lock) and not wanted.frozen:
                continue
            there = Pythons(HOST, HostFacts((like,), ()))
            if isinstance(
                candidate_on(environment, edition, minor, there, lock, proofs.get(edition.name, ())), Candidate
            ):
                return minor
    return ""


def every_refusal(refused: Sequence[tuple[Backend, NoEnvironment]]) -> NoEnvironment:
    """The first backend's refusal, with the reasons of the others."""
    (_, first), *others = refused
    if not others:
        return first
    reasons = (f"{backend.elsewhere}: {error.what} {error.why}" for backend, error in others)
    return NoEnvironment(first.what, why="\n".join([first.why, *reasons]), next_step=first.next_step)


def missing_python(
    error: NoEnvironment, environment: Environment, minor: str, environ: Mapping[str, str]
) -> MissingPython:
    """The refusal, with the way out that a Python of a minor is."""
    return MissingPython(
        error.what,
        why=error.why,
        next_step=f"Run the same command again as `envguard {OPTION} …`, which fetches Python {minor} for the "
        f"environment {environment.name!r} into envguard's store and checks its hash; or install Python {minor}.",
        minor=minor,
        source=_source_of_pythons(environ),
    )


def _source_of_pythons(environ: Mapping[str, str]) -> str:
    """Where a fetched Python would come from, in words for a user who is asked."""
    named = environ.get(MIRROR, "")
    return without_secrets(named, environ) if named else "the python-build-standalone project, which uv knows"


def fetch_into_store(minor: str, folder: Path, installer: Installer, environ: Mapping[str, str]) -> None:
    """Fetch a Python into the store's folder of them, unless another process has done so meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with build_lock(
        folder / FETCHING_LOCK, waiting=lambda holder: installer.tell(f"waiting for {holder}", 0, 0)
    ) as held:
        if any((each / FETCHED).is_file() for each in folder.glob(f"cpython-{minor}.*")):
            return
        installation = fetch_python(minor, folder, installer, environ, held)
        make_durable(installation)
        (installation / FETCHED).write_text(f"{minor}\n", encoding="utf-8")
        make_durable(installation)
