"""Fetch the wheels of a lock for another platform, read their native modules, and record what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.backends.wheelhouse import download_wheels
from envguard.catalog.model import Edition, Environment
from envguard.clock import utc_now
from envguard.errors import BadInput, StepFailed
from envguard.files import file_facts
from envguard.host.provided import system_libraries
from envguard.host.variables import installer_variables
from envguard.locks.audited_platforms import AuditedPlatform
from envguard.locks.audits import Audit, audits_path, read_audits, with_audit, write_audits
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.staleness import StaleLock
from envguard.locks.targets import target_of
from envguard.locks.wheels import PinnedWheel, best_wheels, missing_wheels
from envguard.payload.contract import AuditFinding, AuditFindings, Json, Note, Progress, TaskStep, to_json
from envguard.planning import request_of, stale_for
from envguard.running.environments.preparing import Workshop
from envguard.running.events import StepNote, StepProgress
from envguard.running.step import StepOrder, run_step
from envguard.store.home import installer_cache
from envguard.store.scratch import log_file, runs_folder, scratch_folder

READER = "audit"
DOWNLOADER = "pip"


@dataclass(frozen=True, slots=True)
class AuditTrial:
    """The outcome for one edition on one Python and platform.

    `audit` is what was found, with every finding, and `kept` whether it was written down; without one, `why_not` says
    what the platform or the edition lacks.
    """

    environment: str
    edition: str
    python: str
    platform: str
    audit: Audit | None = None
    findings: tuple[AuditFinding, ...] = ()
    kept: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Auditor:
    """What an audit takes: the workshop of the catalog that names the locks, and one with envguard's own tools."""

    workshop: Workshop
    tools: Workshop

    def audit(self, environment: Environment, edition: Edition, python: str, platform: AuditedPlatform) -> AuditTrial:
        """Audit one lock for one platform, and record it beside the lock if that is a place to write to.

        Raises StaleLock, and NoEnvironment if wheels cannot be fetched.
        """
        trial = AuditTrial(environment.name, edition.name, python, platform.name)
        path = lock_path(environment.lockfiles, environment.name, edition.name, python)
        if not path.is_file():
            return _without(trial, "it has no lock")
        lock = read_lock(path)
        stale = stale_for(environment, edition, python, lock)
        if stale:
            raise StaleLock(request_of(environment, edition, python), stale, frozen=False)
        target = target_of(platform.tag, python)
        missing = missing_wheels(lock, frozenset(target.tags), target.markers)
        if missing:
            return _without(trial, "; ".join(map(str, missing)))
        found = self.read(self._fetch(lock, best_wheels(lock, target.tags, target.markers)), python, platform)
        audit = _record(lock, python, platform, found)
        kept = platform.recorded and _keep(environment, edition, audit)
        return AuditTrial(*_place(trial), audit, found.findings, kept)

    def _fetch(self, lock: Lock, wheels: Sequence[PinnedWheel]) -> list[Path]:
        """The wheels as files with the right hashes, kept in the package cache by their hashes."""
        cache = installer_cache(self.workshop.home) / "wheels"
        places = {each: cache / each.wheel.sha256 / each.wheel.filename for each in wheels}
        needed = replace(lock, packages=tuple(each.package for each in wheels))
        made = {each.name: each for each in self.workshop.own_wheels(needed)}
        places |= {each: made[each.wheel.filename] for each in wheels if each.package.is_own}
        absent = [each for each, place in places.items() if not _is_whole(place, each.wheel.sha256)]
        if absent:
            pip = self.tools.prepare(DOWNLOADER).built.layout.python
            variables: Mapping[str, str] = installer_variables(self.workshop.sources)
            with scratch_folder(runs_folder(self.workshop.home)) as folder:
                download_wheels(folder, lock, absent, pip_python=pip, variables=variables)
                for each in absent:
                    places[each].parent.mkdir(parents=True, exist_ok=True)
                    (folder / each.wheel.filename).replace(places[each])
        return list(places.values())

    def read(self, wheels: Sequence[Path], python: str, platform: AuditedPlatform) -> AuditFindings:
        """What the native modules in files say, which are installed together; nothing is recorded."""
        options: dict[str, Json] = {
            "system": platform.system,
            "machine": platform.machine,
            "python": python,
            "libraries": to_json(system_libraries()),
            "oldest": list(platform.oldest),
        }
        order = StepOrder(TaskStep("audit", "steps.audit", {}, options), {"wheels": wheels})
        with self.tools.holding([READER]) as (prepared,), scratch_folder(runs_folder(self.tools.home)) as folder:
            workspace, log = self.tools.workspace(prepared, folder, wheels), log_file(self.tools.home, "audit")
            result = run_step(workspace, order, environ=self.tools.environ, log=log, tell=self._tell)
        values = result.findings.values
        if not isinstance(values, AuditFindings):
            raise StepFailed("The step 'audit' found nothing.", next_step=f"The whole log: {log}")
        return values

    def _tell(self, event: Progress | Note) -> None:
        if isinstance(event, Note):
            self.tools.receive(StepNote("audit", event.text))
        else:
            self.tools.receive(StepProgress("audit", event.label, event.done, event.total))


def _record(lock: Lock, python: str, platform: AuditedPlatform, found: AuditFindings) -> Audit:
    errors = tuple(each.text for each in found.findings if each.level == "error")
    return Audit(
        lock=lock.digest,
        python=python,
        platform=platform.name,
        date=utc_now(),
        reader=found.reader,
        modules=found.modules,
        result="bad" if errors else "good",
        reasons=errors,
        notes=tuple(each.text for each in found.findings if each.level == "note"),
        needs=found.needs,
    )


def _keep(environment: Environment, edition: Edition, audit: Audit) -> bool:
    """Write the audit beside its lock; False where nobody may write, as in an installed package."""
    path = audits_path(environment.lockfiles, environment.name, edition.name)
    with suppress(BadInput):
        write_audits(path, with_audit(read_audits(path), audit))
        return True
    return False


def _is_whole(file: Path, sha256: str) -> bool:
    try:
        return file_facts(file).sha256 == sha256
    except OSError:
        return False


def _without(trial: AuditTrial, why: str) -> AuditTrial:
    return AuditTrial(*_place(trial), why_not=why)


def _place(trial: AuditTrial) -> tuple[str, str, str, str]:
    return trial.environment, trial.edition, trial.python, trial.platform
