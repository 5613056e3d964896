"""Restore a damaged environment to what was proved: rebuild it from its lock, compare it with its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.table import BACKENDS, HOST
from envguard.catalog.model import Edition
from envguard.errors import BrokenData, EnvguardError
from envguard.locks.lockfile import Lock, read_lock
from envguard.planning import Candidate
from envguard.running.environments.own.code import with_own_code
from envguard.running.environments.prepared import identity_of
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.recorded import recorded_locks
from envguard.store.manifest import MANIFEST, Manifest, differing, parse_manifest
from envguard.store.removing import move_aside_if_idle
from envguard.system.moving import remove_tree


@dataclass(frozen=True, slots=True)
class Repair:
    """How a repair ended: `why` is empty if the environment is ready again.

    `differing` are the files that differ from the old manifest; None if there was no intact manifest to compare with.
    """

    folder: Path
    why: str
    differing: tuple[str, ...] | None = None

    @property
    def identical(self) -> bool | None:
        """Whether every byte is as it was proved; None if unknown."""
        return None if self.differing is None else not self.differing

    def as_json(self) -> dict[str, object]:
        """The repair for `--json`."""
        differing = None if self.differing is None else list(self.differing)
        return {"repaired": not self.why, "why": self.why, "identical": self.identical, "differing": differing}


def repair(folder: Path, workshop: Workshop) -> Repair:
    """Rebuild the environment of that folder unless it is in use.

    If the rebuilt files differ from the manifest of the damaged environment, the installer's cache is not trusted
    either: its distributions are downloaded again, once.
    """
    candidate = next(_candidates(folder, workshop), None)
    if candidate is None:
        return Repair(
            folder, "neither its own lock nor the catalog's leads to it on this host, so it can only be pruned"
        )
    try:
        workshop.require_allowed(candidate.environment.folder)
    except EnvguardError as error:
        return Repair(folder, f"{error.what} {error.next_step}")
    aside, why = move_aside_if_idle(folder)
    if why:
        return Repair(folder, why)
    try:
        expected = _old_manifest(aside)
        differing = _rebuilt(folder, candidate, workshop, expected)
        if differing:
            workshop.forget(tuple(package.name for package in candidate.lock.packages))
            again, _ = move_aside_if_idle(folder)
            differing = _rebuilt(folder, candidate, workshop, expected)
            _delete(again)
    except EnvguardError as error:
        return Repair(folder, f"{error.what} {error.why}".strip())
    finally:
        _delete(aside)
    return Repair(folder, "", differing)


def _candidates(folder: Path, workshop: Workshop) -> Iterator[Candidate]:
    """The candidates whose environment belongs in that folder: its name is a hash of all that they are made of."""
    for candidate in _possible(folder, workshop):
        if identity_of(candidate).folder_name == folder.name:
            yield candidate


def _possible(folder: Path, workshop: Workshop) -> Iterator[Candidate]:
    name = _backend_of(folder, workshop)
    backend = workshop.backend_named(name)
    for environment in workshop.catalog.environments.values():
        if not folder.name.startswith(f"{environment.name}-"):
            continue
        locks = [*recorded_locks(environment).values()]
        with suppress(BrokenData):
            locks.insert(0, read_lock(folder / "lock.txt"))
        for lock in locks:
            edition = environment.edition(lock.edition) or _edition_of(lock)
            for interpreter in backend.pythons([lock.python], fetch=False).facts.usable:
                candidate = Candidate(environment, edition, lock, interpreter, name)
                yield from (with_own_code(candidate, editable=each) for each in (False, True))


def _backend_of(folder: Path, workshop: Workshop) -> str:
    """The backend that installed the folder's environment; this host itself if it cannot be told."""
    return next((name for name in BACKENDS if workshop.backend_named(name).installed_in(folder)), HOST)


def _edition_of(lock: Lock) -> Edition:
    """The edition of a lock that the catalog no longer has."""
    return Edition(
        lock.edition, (lock.python,), lock.requires, lock.overrides, lock.dependencies,
        npm=lock.npm, platforms=lock.platforms, build=lock.build,
    )  # fmt: skip


def _old_manifest(aside: Path | None) -> Manifest | None:
    if aside is None:
        return None
    try:
        return parse_manifest((aside / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None


def _rebuilt(
    folder: Path, candidate: Candidate, workshop: Workshop, expected: Manifest | None
) -> tuple[str, ...] | None:
    """Build it, and name the files that differ from the manifest."""
    workshop.build(candidate)
    if expected is None:
        return None
    return differing(expected, parse_manifest((folder / MANIFEST).read_bytes()))


def _delete(folder: Path | None) -> None:
    if folder is not None:
        remove_tree(folder, ignore_errors=True)
