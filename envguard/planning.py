"""Host × catalog × locks × proofs → a plan, or every reason why there is none; touches no disk and no process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from envguard.catalog.model import Edition, Environment
from envguard.catalog.own_sources import NO_CODE, OwnCode
from envguard.errors import NoEnvironment
from envguard.host.interpreters import HostFacts, Interpreter, Version
from envguard.host.platform import marker_environment, supported_tags
from envguard.host.remedies import INSTALL, PassedOver, next_step
from envguard.host.system import os_version
from envguard.locks.audits import Audit, audit_of, is_newer
from envguard.locks.lockfile import Lock, LockRequest
from envguard.locks.platforms import Platform, platform_name
from envguard.locks.proofs import Proof, proof_of
from envguard.locks.staleness import StaleLock, difference
from envguard.locks.wheels import missing_wheels
from envguard.table_reader import unknown_name

if TYPE_CHECKING:
    from packaging.tags import Tag

LINUX_NAMES = {"AMD64": "x86_64", "ARM64": "aarch64", "arm64": "aarch64"}  # what other systems call these machines
LockKey = tuple[str, str]
NOTHING_PROVED: Mapping[str, Sequence[Proof]] = {}
NOTHING_AUDITED: Mapping[str, Sequence[Audit]] = {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to have an environment here: an edition's lock on an interpreter, for a backend to make runnable.

    It is known-good if it has a `proof`; an `audit` counts less. `stale` says how the lock differs from what the
    catalog asks for, if the user wants it nevertheless; else it is empty. `own` is the project's code in it.
    """

    environment: Environment
    edition: Edition
    lock: Lock
    interpreter: Interpreter
    backend: str
    proof: Proof | None = None
    stale: str = ""
    audit: Audit | None = None
    own: OwnCode = NO_CODE

    @property
    def doubt(self) -> str:
        """What an audit says against it on any machine of its platform; empty if nothing does, or if it is proved."""
        return self.audit.reasons[0] if self.audit and not self.audit.good and not self.proof else ""

    @property
    def too_new(self) -> str:
        """That its modules need a newer C library than its interpreter's; a proof counts if made with one as old."""
        ours = self.interpreter.facts.libc
        seen = self.proof is not None and not is_newer(self.proof.libc, ours)
        return self.audit.too_new_for(ours) if self.audit and not seen else ""

    def __str__(self) -> str:
        python = self.interpreter
        return f"{self.environment.name} {self.edition.name} on Python {python.version_text} ({python})"


@dataclass(frozen=True, slots=True)
class Plan:
    """The ways to have an environment here, best first (at least one), and what was passed over."""

    environment: Environment
    candidates: tuple[Candidate, ...]
    passed_over: tuple[PassedOver, ...]

    @property
    def chosen(self) -> Candidate:
        """The best candidate."""
        return self.candidates[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An environment, and the edition and Python minor that were requested, if any.

    With `frozen`, locks are taken as they are, even if they were made for another request than the catalog's.
    """

    environment: Environment
    edition: str | None = None
    python: str | None = None
    frozen: bool = False

    @property
    def minors(self) -> list[str]:
        """The Python minors that qualify, the preferred one first."""
        editions = (each for each in self.environment.editions if self.edition in (None, each.name))
        asked = [each for each in editions if each.offered or self.edition is not None]
        return list(dict.fromkeys(minor for each in asked for minor in each.pythons if self.python in (None, minor)))


@dataclass(frozen=True, slots=True)
class Pythons:
    """The interpreters that a backend can use, and by minor why one is `absent`.

    `where` they are completes the sentence of an error; `remedy` is what to do if none fits (`{minors}` in it stands
    for the minors that qualify).
    """

    backend: str
    facts: HostFacts
    absent: Mapping[str, str] = field(default_factory=dict)
    where: str = "on this host"
    remedy: str = INSTALL


def make_plan(
    wanted: Wanted,
    pythons: Pythons,
    locks: Mapping[LockKey, Lock],
    proofs: Mapping[str, Sequence[Proof]] = NOTHING_PROVED,
    audits: Mapping[str, Sequence[Audit]] = NOTHING_AUDITED,
) -> Plan:
    """Plan an environment on these interpreters; `locks` are by edition and Python minor, proofs and audits by edition.

    What is recorded as failing here, or as needing a newer C library, is passed over; so is a stale lock, unless it
    would be preferred to every candidate: then there is no plan. The catalog's order decides which comes first; of the
    rest, the known-good come before the audited, and these before the unknown. What was audited bad comes last.

    Raises BadInput if the environment does not have the edition, StaleLock, and NoEnvironment with each candidate's
    reason if no candidate is left.
    """
    environment, editions = wanted.environment, _chosen_editions(wanted.environment, wanted.edition)
    candidates: list[Candidate] = []
    passed_over: list[PassedOver] = []
    for edition, minor in [(each, minor) for each in editions for minor in each.pythons]:
        lock, recorded = locks.get((edition.name, minor)), proofs.get(edition.name, ())
        stale, place = stale_for(environment, edition, minor, lock), _place(environment, edition, minor)
        if wanted.python not in (None, minor):
            found: Candidate | PassedOver = PassedOver(place, "not requested", "not requested", minor)
        elif stale and not wanted.frozen:
            if not candidates and best_interpreter(pythons.facts.interpreters, minor) is not None:
                raise StaleLock(request_of(environment, edition, minor), stale)
            found = PassedOver(place, f"stale: {stale}", "stale lock", minor)
        else:
            found = candidate_on(environment, edition, minor, pythons, lock, recorded)
            found = _as_judged(found, audits.get(edition.name, ()))
        (candidates if isinstance(found, Candidate) else passed_over).append(found)  # type: ignore[arg-type]
    if not candidates:
        raise _none_is_left(wanted, passed_over, pythons)
    ordered = _in_order(candidates)
    return Plan(environment, ordered, (*passed_over, *_lesser(ordered, pythons.facts)))


def _none_is_left(wanted: Wanted, passed_over: Sequence[PassedOver], pythons: Pythons) -> NoEnvironment:
    environment, here = wanted.environment, next(iter(pythons.facts.interpreters), None)
    machine = LINUX_NAMES.get(here.architecture, here.architecture) if here and here.base is None else ""
    others = bool(wanted.edition) and any(each.offered and each.name != wanted.edition for each in environment.editions)
    advice = next_step(environment.name, passed_over, pythons.remedy, machine=machine, others=others)
    return NoEnvironment(
        f"The environment {environment.name!r} is not available {pythons.where}.",
        why="\n".join(f"{each.what}: {each.why}" for each in passed_over),
        next_step=advice,
    )


def _place(environment: Environment, edition: Edition, minor: str) -> str:
    return f"{environment.name} {edition.name} on Python {minor}"


def _as_asked(candidate: Candidate) -> Candidate:
    """The candidate, with how its lock differs from what is asked for."""
    environment, edition, lock = candidate.environment, candidate.edition, candidate.lock
    return replace(candidate, stale=difference(lock, request_of(environment, edition, minor_of(candidate.interpreter))))


def _in_order(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    first, *rest = sorted(map(_as_asked, candidates), key=lambda each: each.doubt != "")
    return (first, *sorted(rest, key=lambda each: (each.doubt != "", each.proof is None, each.audit is None)))


def _as_judged(found: Candidate | PassedOver, audits: Sequence[Audit]) -> Candidate | PassedOver:
    """A candidate with the audit of its lock for this platform, if there is one; they are of glibc's Linux."""
    if isinstance(found, PassedOver) or platform_of(found.interpreter).libc == "musl":
        return found
    lock, platform = found.lock, platform_of(found.interpreter).name
    judged = replace(found, audit=audit_of(audits, digest=lock.digest, python=lock.python, platform=platform))
    if judged.too_new:
        what = _place(found.environment, found.edition, lock.python)
        return PassedOver(what, judged.too_new, "old C library", lock.python)
    return judged


def _chosen_editions(environment: Environment, name: str | None) -> tuple[Edition, ...]:
    if name is None:
        return tuple(edition for edition in environment.editions if edition.offered)
    edition = environment.edition(name)
    if edition is None:
        known = [each.name for each in environment.editions]
        raise unknown_name(f"The environment {environment.name!r} has no edition", name, known)
    return (edition,)


def candidate_on(
    environment: Environment,
    edition: Edition,
    minor: str,
    pythons: Pythons,
    lock: Lock | None,
    proofs: Sequence[Proof] = (),
) -> Candidate | PassedOver:
    """An edition on the best Python of a minor, or the reason why it is not available."""
    what = _place(environment, edition, minor)
    if lock is None:
        return _without_lock(what, environment, edition, minor, proofs)
    interpreter = best_interpreter(pythons.facts.interpreters, minor)
    like = interpreter or imagined(pythons.facts.interpreters, minor)
    missing = missing_wheels(lock, _tags_of(like), marker_environment(like)) if like else ()
    if missing:
        return PassedOver(what, "; ".join(map(str, missing)), "no wheel", minor)
    if interpreter is None:
        return _without_python(what, minor, pythons)
    lacking = _lacking_libraries(edition, interpreter)
    if lacking:
        return PassedOver(what, f"the image {interpreter.base} lacks the Debian packages {', '.join(lacking)}")
    proof = proof_of(proofs, digest=lock.digest, python=minor, platform=platform_of(interpreter))
    if proof is not None and not proof.works:
        return PassedOver(what, f"known-bad here: it {proof.result} ({proof.reason})", "known-bad", minor)
    return Candidate(environment, edition, lock, interpreter, pythons.backend, proof)


def imagined(interpreters: Sequence[Interpreter], minor: str) -> Interpreter | None:
    """What a Python of another minor would be like on the system of these interpreters; None if none of them tells."""
    known = next((each for each in interpreters if each.implementation == "cpython" and each.facts.bits == 64), None)
    if known is None:
        return None
    major, rest = map(int, minor.split("."))
    version = Version(major, rest, 0, "final", 0)
    facts = replace(known.facts, version=version, full_version=f"{minor}.0", implementation_version=f"{minor}.0")
    return replace(known, facts=replace(facts, debug=False, free_threaded=False), reasons=())


def _without_python(what: str, minor: str, pythons: Pythons) -> PassedOver:
    """Why there is no Python of a minor: those that are there cannot be used, or there is none."""
    facts = pythons.facts
    reasons = [f"{each.path}: {' '.join(each.reasons)}" for each in facts.interpreters if minor_of(each) == minor]
    reasons = reasons or [
        f"{each.path}: {each.reason}"
        for each in facts.broken
        if each.path.name.removesuffix(".exe") == f"python{minor}"
    ]
    if reasons:
        return PassedOver(what, "; ".join(reasons), "unusable Python", minor)
    return PassedOver(what, pythons.absent.get(minor, f"this host has no Python {minor}"), "no Python", minor)


def _lacking_libraries(edition: Edition, interpreter: Interpreter) -> tuple[str, ...]:
    """The system libraries that the edition needs and the image is known to lack; on a host, the check finds out."""
    if interpreter.base is None or interpreter.base.packages is None:
        return ()
    return tuple(each for each in edition.system_libraries if each not in interpreter.base.packages)


@cache
def _tags_of(interpreter: Interpreter) -> frozenset[Tag]:
    """The tags of wheels that fit; cached, because there are a thousand and every edition asks for them."""
    return frozenset(supported_tags(interpreter))


def wanted_digest(environment: Environment, edition: Edition, minor: str) -> str:
    """The digest that identifies the edition's request on that Python in a record, if it has no lock."""
    return request_of(environment, edition, minor).digest


def request_of(environment: Environment, edition: Edition, minor: str) -> LockRequest:
    """What the catalog asks of the edition's lock for a Python minor."""
    return LockRequest(
        environment.name, edition.name, minor, edition.requirements, edition.overrides, edition.dependencies,
        edition.npm, edition.platforms, indexes=tuple(sorted(environment.indexes.items())), build=edition.build,
        dated=environment.dated, folder=environment.folder, own=environment.own,
    )  # fmt: skip


def stale_for(environment: Environment, edition: Edition, minor: str, lock: Lock | None) -> str:
    """How the edition's lock for a Python minor differs from what the catalog asks for; empty if it does not."""
    return "" if lock is None else difference(lock, request_of(environment, edition, minor))


def unresolvable(environment: Environment, edition: Edition, minor: str, proofs: Sequence[Proof]) -> Proof | None:
    """The record that what the edition requires could not be resolved, if anyone tried."""
    digest = wanted_digest(environment, edition, minor)
    return next((proof for proof in proofs if proof.lock == digest), None)


def _without_lock(
    what: str, environment: Environment, edition: Edition, minor: str, proofs: Sequence[Proof]
) -> PassedOver:
    recorded = unresolvable(environment, edition, minor, proofs)
    if recorded is None:
        return PassedOver(what, "it has no lock", "no lock", minor)
    return PassedOver(what, f"it has no lock: it {recorded.result} ({recorded.reason})", "unresolvable", minor)


def best_interpreter(interpreters: Sequence[Interpreter], minor: str) -> Interpreter | None:
    """The interpreter of a Python minor that envguard prefers, or None if it can use none."""
    return max((each for each in interpreters if each.usable and minor_of(each) == minor), key=_rank, default=None)


def _rank(interpreter: Interpreter) -> tuple[object, ...]:
    """Newest patch release first, then an order that does not depend on how it was found."""
    return (interpreter.version, str(interpreter.real_path))


def platform_of(interpreter: Interpreter) -> Platform:
    """The platform for which proofs made with the interpreter hold."""
    facts = interpreter.facts
    name = platform_name(facts.sys_platform, facts.architecture, facts.platform, facts.bits)
    return Platform(name, (facts.libc or ("",))[0], "" if interpreter.base else os_version())


def minor_of(interpreter: Interpreter) -> str:
    """Its Python minor as the catalog writes it: `3.11`."""
    return f"{interpreter.version.major}.{interpreter.version.minor}"


def _lesser(candidates: Sequence[Candidate], host: HostFacts) -> Iterator[PassedOver]:
    """What would also work, and what no edition asks for."""
    first = candidates[0]
    for candidate in candidates[1:]:
        preferred = f"{first.edition.name} on {first.lock.python} is preferred"
        said = f"audited for this platform: {candidate.doubt}" if candidate.doubt else "would also work"
        yield PassedOver(str(candidate), f"{said}; {preferred}", "lesser")
    used = {candidate.interpreter.real_path for candidate in candidates}
    asked = {minor for edition in first.environment.editions if edition.offered for minor in edition.pythons}
    for interpreter in host.interpreters:
        if interpreter.real_path in used:
            continue
        what = f"Python {interpreter.version_text} ({interpreter})"
        minor = minor_of(interpreter)
        if not interpreter.usable:
            yield PassedOver(what, " ".join(interpreter.reasons))
        elif minor not in asked:
            yield PassedOver(what, f"no edition of {first.environment.name} is for Python {minor}")
        else:
            yield PassedOver(what, f"another Python {minor} is preferred")
    for broken in host.broken:
        yield PassedOver(str(broken.path), broken.reason)
