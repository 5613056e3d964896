"""Try an edition for real and record the outcome: lock it if it has no lock, install it, run its check."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.backends.table import HOST
from envguard.catalog.model import Edition, Environment
from envguard.clock import utc_now
from envguard.errors import MISSING_LIBRARY, BadInput, CheckFailed, EnvguardError, NoEnvironment
from envguard.host.interpreters import HostFacts, Interpreter
from envguard.host.remedies import PassedOver
from envguard.locks.evidence import blames_a_wheel, says_nothing_of_the_lock, tells_of_files
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.platforms import ANY_PLATFORM
from envguard.locks.proofs import Proof, ProofResult, proofs_path, read_proofs, with_proof, write_proofs
from envguard.locks.resolver import CannotResolve
from envguard.locks.staleness import StaleLock
from envguard.locks.tool_words import literal_words
from envguard.planning import (
    Candidate,
    Pythons,
    best_interpreter,
    candidate_on,
    platform_of,
    request_of,
    stale_for,
    wanted_digest,
)
from envguard.running.environments.locking import lock_edition, write_lock
from envguard.running.environments.prepared import Prepared, renew_links
from envguard.running.environments.preparing import Workshop
from envguard.store.links import LINKS, links_to
from envguard.trust.allowing import allow_written

# Gates that judge the host and not the lock: another host of this platform may pass them.
OF_THE_HOST = (MISSING_LIBRARY, "sysfs-not-mounted")


@dataclass(frozen=True, slots=True)
class LockTrial:
    """The outcome for one edition on one Python: a proof, or why this host could not tell."""

    environment: str
    edition: str
    python: str
    proof: Proof | None
    why_not: str = ""


def prove(
    workshop: Workshop, environment: Environment, edition: Edition, python: str, *, emulated: str = ""
) -> LockTrial:
    """Try an edition on this host's best Python of a minor, and record the outcome beside the locks.

    `emulated` names what stands in for the processor, if anything does: a check that fails then is not recorded, as
    the emulator may be what is broken, unless it says that the wheels lack a module.

    Raises NotAllowed, StaleLock, and NoEnvironment or CannotAsk if the package index cannot be reached.
    """
    path = proofs_path(environment.lockfiles, environment.name, edition.name)
    existing = _existing_lock(environment, edition, python)
    workshop.require_allowed(environment.folder)
    try:
        lock = existing or _new_lock(workshop, environment, edition, python)
    except CannotResolve as error:
        found: Proof | str = _unresolvable(environment, edition, python, error)
    else:
        interpreter = best_interpreter(workshop.host.interpreters, python)
        if interpreter is None:
            found = f"this host has no usable Python {python}"
        else:
            found = _try(workshop, environment, edition, lock, interpreter)
            if emulated and isinstance(found, Proof):
                found = _under_emulation(found, emulated)
    if isinstance(found, str):
        return LockTrial(environment.name, edition.name, python, None, found)
    write_proofs(path, with_proof(read_proofs(path), found))
    return LockTrial(environment.name, edition.name, python, found)


def lead_links_on(workshop: Workshop, name: str) -> None:
    """Renew a project's links to an environment: to what a plan takes by now, if that is built."""
    base = workshop.catalog.project or Path.cwd()
    if not any(links_to(workshop.home, name, base / LINKS)):
        return
    with suppress(EnvguardError):  # nothing works here, as the proofs say; a link then stays where it leads
        candidate = workshop.plan(name).chosen
        built, _ = workshop.look_up(candidate)
        if built is not None:
            renew_links(workshop.home, base, Prepared(candidate, built), chosen=False)


def check_writable(environment: Environment) -> None:
    """Refuse a read-only folder of locks before hours are spent on trying editions."""
    folder = environment.lockfiles
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(
            f"Proofs of {environment.name} cannot be written to {folder}.",
            why=str(error),
            next_step="Work in a checkout of envguard, or in a project with lock files of its own.",
        ) from error


def _existing_lock(environment: Environment, edition: Edition, python: str) -> Lock | None:
    path = lock_path(environment.lockfiles, environment.name, edition.name, python)
    if not path.is_file():
        return None
    lock = read_lock(path)
    stale = stale_for(environment, edition, python, lock)
    if stale:
        raise StaleLock(request_of(environment, edition, python), stale, frozen=False)
    return lock


def _new_lock(workshop: Workshop, environment: Environment, edition: Edition, python: str) -> Lock:
    lock = lock_edition(environment, edition, python, cut_off=utc_now(), environ=workshop.sources, home=workshop.home)
    written = write_lock(environment, lock)
    own = environment.folder == workshop.catalog.project and written.is_relative_to(environment.folder)
    if own and not workshop.catalog.allowed:
        allow_written(environment.folder, written)
    return lock


def _try(
    workshop: Workshop, environment: Environment, edition: Edition, lock: Lock, interpreter: Interpreter
) -> Proof | str:
    candidate = candidate_on(environment, edition, lock.python, Pythons(HOST, HostFacts((interpreter,), ())), lock)
    if isinstance(candidate, PassedOver):
        return _failure("cannot be installed", environment, lock, interpreter, candidate.why)
    candidate = workshop.with_code(candidate)
    try:
        return _proof_anew(workshop, candidate)
    except CheckFailed as error:
        of_code = candidate.own.sources  # which is in no lock, and may be to blame
        if of_code or error.gate in OF_THE_HOST or not error.of_the_check or says_nothing_of_the_lock(error.why):
            return f"{error.why} {error.next_step}".strip()
        return _failure("fails", environment, lock, interpreter, error.why)
    except NoEnvironment as error:
        if not blames_a_wheel(error.why):
            raise
        return _failure("cannot be installed", environment, lock, interpreter, error.why)


def _proof_anew(workshop: Workshop, candidate: Candidate) -> Proof:
    """A proof made now, even if the environment was built and proved before."""
    built = workshop.build(candidate)
    return built.proof if built.fresh else workshop.check(candidate, built.layout)


def _under_emulation(found: Proof, emulated: str) -> Proof | str:
    if found.result == "fails" and not tells_of_files(found.reason):
        return f"its check fails under emulation ({emulated}), which tells nothing of a real processor: {found.reason}"
    return replace(found, emulated=emulated)


def _failure(result: ProofResult, environment: Environment, lock: Lock, interpreter: Interpreter, said: str) -> Proof:
    place = platform_of(interpreter)
    return Proof(
        lock=lock.digest,
        python=interpreter.version_text,
        platform=place.name,
        libc=interpreter.facts.libc_text,
        os_version=place.os_version,
        date=utc_now(),
        check=environment.check,
        seconds=0.0,
        result=result,
        reason=literal_words(said),
    )


def _unresolvable(environment: Environment, edition: Edition, python: str, error: CannotResolve) -> Proof:
    return Proof(
        lock=wanted_digest(environment, edition, python),
        python=python,
        platform=ANY_PLATFORM,
        libc="",
        date=utc_now(),
        check=environment.check,
        seconds=0.0,
        result="cannot be resolved",
        reason=literal_words(error.why),
    )
