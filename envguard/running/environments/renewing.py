"""Renew an environment: newer releases of what it leads with become editions, are locked and proved, and judged.

Everything is made in a scratch folder; what is worth it, `keeping` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from envguard.catalog.model import Edition, Environment
from envguard.catalog.renewal import Line, candidates, free_leads, is_loose, lines_of, placed, tightened
from envguard.clock import utc_now
from envguard.locks.lockfile import Lock
from envguard.locks.proofs import Proof, proof_of
from envguard.locks.releases import ReleaseQuery
from envguard.locks.resolver import CannotResolve
from envguard.planning import LockKey, platform_of, unresolvable
from envguard.running.environments.locking import lock_edition, newer_release
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.proving import LockTrial, prove
from envguard.running.environments.recorded import recorded_locks, recorded_proofs
from envguard.store.scratch import runs_folder, scratch_folder

MOST_RELEASES = 3
"""Of one package in one run, newest first: each that does not work costs a build on every Python, and a line whose last
three releases all fail needs a person."""
FAILURES = ("fails", "cannot be installed")


@dataclass(frozen=True, slots=True)
class Tried:
    """A newer release as an edition, and what came of it on each Python.

    `before` says whether it is preferred to the edition `beside`, which it was made from; `why` says why not, or why
    it is not kept at all. `locks` and `proofs` are as `recorded_locks` and `recorded_proofs` give them. With
    `replaces`, the edition is the one that there is, and they take the place of its own.
    """

    package: str
    version: Version
    edition: Edition
    beside: str
    trials: tuple[LockTrial, ...]
    locks: Mapping[LockKey, Lock] = field(repr=False)
    proofs: Mapping[str, tuple[Proof, ...]] = field(repr=False)
    before: bool = False
    why: str = ""
    replaces: bool = False

    @property
    def works(self) -> bool:
        """Whether it works on at least one Python here."""
        return any(trial.proof is not None and trial.proof.works for trial in self.trials)

    @property
    def is_kept(self) -> bool:
        """Whether it is worth a place: it works, or it could be locked and is known not to.

        What replaces locks must work wherever those do.
        """
        if self.replaces:
            return self.works and not self.why
        return self.works or any(trial.proof is not None and trial.proof.result in FAILURES for trial in self.trials)


@dataclass(frozen=True, slots=True)
class Renewed:
    """An environment as it was, its lines, and the releases that were tried, in order."""

    environment: Environment
    lines: tuple[Line, ...]
    tried: tuple[Tried, ...]

    @property
    def kept(self) -> tuple[Tried, ...]:
        """What belongs in the catalog."""
        return tuple(each for each in self.tried if each.is_kept)


Recorded = tuple[Environment, dict[LockKey, Lock], dict[str, tuple[Proof, ...]]]


def before_and_after(renewed: Renewed) -> tuple[Recorded, Recorded]:
    """The environment with its locks and its proofs by edition, without what is kept of the renewal and with it.

    To be asked before anything is written.
    """
    environment = renewed.environment
    locks, proofs = recorded_locks(environment), recorded_proofs(environment)
    editions = environment.editions
    for each in (each for each in renewed.kept if not each.replaces):
        editions = placed(editions, each.edition, each.beside, before=each.before)
    after = (
        replace(environment, editions=editions),
        {**locks, **{key: lock for each in renewed.kept for key, lock in each.locks.items()}},
        {**proofs, **{name: records for each in renewed.kept for name, records in each.proofs.items()}},
    )
    return (environment, locks, proofs), after


def renew(workshop: Workshop, environment: Environment, *, prereleases: bool) -> Renewed:
    """Try newer releases of each line of the environment, newest first, until one works; writes nothing beside it.

    Raises NotAllowed, and CannotAsk or NoEnvironment if the package index gives no answer.
    """
    workshop.require_allowed(environment.folder)
    pinned, free = lines_of(environment), tuple(_free_lines(environment))
    with scratch_folder(runs_folder(workshop.home)) as scratch:
        tried = [each for line in pinned for each in _newer(workshop, environment, line, prereleases, scratch)]
        for line, within in free:
            tried += _relocked(workshop, environment, line, within, scratch / line.newest.name)
    return Renewed(environment, (*pinned, *(line for line, _ in free)), tuple(tried))


def _free_lines(environment: Environment) -> Iterator[tuple[Line, str]]:
    """The editions that pin nothing: the newest locked release of what they name first, and what they ask of it."""
    for edition, lead in free_leads(environment):
        package = canonicalize_name(lead.name)
        locked = _locked(recorded_locks(environment), edition, package)
        if locked:
            newest = max(locked.values())
            yield Line(package, newest, edition, (newest,)), str(lead.specifier)


def _locked(locks: Mapping[LockKey, Lock], edition: Edition, package: str) -> dict[str, Version]:
    """The release of a package in an edition's locks, by Python."""
    return {
        python: Version(each.version)
        for (name, python), lock in locks.items()
        for each in lock.packages
        if name == edition.name and canonicalize_name(each.name) == package
    }


def _relocked(workshop: Workshop, environment: Environment, line: Line, within: str, scratch: Path) -> Iterator[Tried]:
    """The edition with new locks, if one of them has a newer release of what it names first."""
    edition = line.newest
    before = _locked(recorded_locks(environment), edition, line.package)
    queries = [ReleaseQuery(line.package, version, (), (python,), within=within) for python, version in before.items()]
    asked = [newer_release(query, workshop.sources, workshop.home) for query in queries]
    newer = [version for version in asked if version is not None]
    if not newer:
        return
    staged = replace(environment, editions=(edition,), lockfiles=scratch)
    trials = tuple(prove(workshop, staged, edition, python) for python in edition.pythons)
    locks, proofs = recorded_locks(staged), recorded_proofs(staged)
    after = _locked(locks, edition, line.package)
    if all(version <= before.get(python, version) for python, version in after.items()):
        return  # what else the edition asks for holds it back
    tried = Tried(line.package, max(newer), edition, edition.name, trials, locks, proofs, replaces=True)
    yield replace(_judged(workshop, environment, line, tried), edition=edition, before=False)


def _newer(
    workshop: Workshop, environment: Environment, line: Line, prereleases: bool, scratch: Path
) -> Iterator[Tried]:
    """Each newer release that was tried, the last one of which may work."""
    known = list(line.known)
    for _ in range(MOST_RELEASES):
        query = ReleaseQuery(line.package, line.version, known, line.newest.pythons, prereleases)
        version = newer_release(query, workshop.sources, workshop.home)
        if version is None:
            return
        tried = _try_release(workshop, environment, line, version, scratch / f"{line.package}-{version}")
        yield tried
        if tried.works:
            return
        known.append(version)


def _try_release(workshop: Workshop, environment: Environment, line: Line, version: Version, scratch: Path) -> Tried:
    """The first candidate that works with a release; else the first that could be locked, else the first."""
    tried: list[Tried] = []
    numbers = count(1)
    for candidate in candidates(environment, line, version):
        edition = _pinned(workshop, environment, line, candidate)
        if edition is None or any(edition == each.edition for each in tried):
            continue
        staged = replace(environment, editions=(edition,), lockfiles=scratch / str(next(numbers)))
        trials = tuple(prove(workshop, staged, edition, python) for python in edition.pythons)
        locks, proofs = recorded_locks(staged), recorded_proofs(staged)
        found = Tried(line.package, version, edition, line.newest.name, trials, locks, proofs)
        if found.works:
            return _judged(workshop, environment, line, found)
        tried.append(found)
    return _judged(workshop, environment, line, next((each for each in tried if each.is_kept), tried[0]))


def _pinned(workshop: Workshop, environment: Environment, line: Line, candidate: Edition) -> Edition | None:
    """The candidate with the releases that its loose requirements come to; None if they come to nothing."""
    if not is_loose(candidate, line):
        return candidate
    for python in candidate.pythons:
        try:
            lock = lock_edition(
                environment, candidate, python, cut_off=utc_now(), environ=workshop.sources, home=workshop.home
            )
        except CannotResolve:
            continue
        versions = {str(canonicalize_name(package.name)): package.version for package in lock.packages}
        return tightened(candidate, line, versions)
    return None


def _judged(workshop: Workshop, environment: Environment, line: Line, tried: Tried) -> Tried:
    """With its place: before the edition that it was made from, if it works wherever that one is known to."""
    if not tried.works:
        return replace(tried, edition=replace(tried.edition, offered=False), why=_first_failure(tried))
    good, bad = _known(workshop, environment, line.newest)
    works = {each.python for each in tried.trials if each.proof is not None and each.proof.works}
    fails = {each.python for each in tried.trials if each.proof is not None and not each.proof.works}
    lost = [python for python in line.newest.pythons if python in (good - works) | (fails - bad)]
    why = f"it is not known to work on Python {', '.join(lost)}" if lost else ""
    return replace(tried, before=not lost, why=why)


def _known(workshop: Workshop, environment: Environment, edition: Edition) -> tuple[set[str], set[str]]:
    """The Pythons on which an edition is known to work here, and those on which it is known not to."""
    locks, proofs = recorded_locks(environment), recorded_proofs(environment)[edition.name]
    good, bad = set[str](), set[str]()
    for python in edition.pythons:
        lock = locks.get((edition.name, python))
        if lock is None:
            proof = unresolvable(environment, edition, python, proofs)
        else:
            platform = platform_of(workshop.host.usable[0])
            proof = proof_of(proofs, digest=lock.digest, python=python, platform=platform)
        if proof is not None:
            (good if proof.works else bad).add(python)
    return good, bad


def _first_failure(tried: Tried) -> str:
    """Why it does not work, from the record of a lock if there is one."""
    failures = [each.proof for each in tried.trials if each.proof is not None]
    for proof in sorted(failures, key=lambda proof: proof.result not in FAILURES):
        return f"{proof.result} on Python {proof.minor}: {proof.reason}"
    return "; ".join(dict.fromkeys(each.why_not for each in tried.trials))
