"""From an environment's name to one that is ready: plan, build, prove, and try the next candidate if a check fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from envguard.backends.installers.choosing import Chosen, chosen_tool
from envguard.backends.installers.fetching import is_local, may_fetch
from envguard.backends.installers.settings import Installer
from envguard.backends.installing import forget
from envguard.backends.protocol import Backend, Surroundings, Workspace
from envguard.backends.table import BACKENDS, HOST, backend_class
from envguard.catalog.model import Catalog
from envguard.catalog.projects import find_project
from envguard.catalog.shipped import BUILTIN
from envguard.code_files import PAYLOAD
from envguard.errors import MISSING_LIBRARY, CheckFailed, MissingPython, NoEnvironment, NotAllowed
from envguard.host.discovery import discover
from envguard.host.interpreters import HostFacts
from envguard.host.remedies import PassedOver
from envguard.host.variables import installer_variables, npm_variables
from envguard.layout import Layout
from envguard.locks.audits import audits_path
from envguard.locks.lockfile import Lock, lock_path
from envguard.locks.proofs import Proof, proofs_path
from envguard.locks.staleness import StaleLock
from envguard.planning import Candidate, Plan, Wanted, make_plan
from envguard.running.environments.announcing import Announcer
from envguard.running.environments.building import Builder
from envguard.running.environments.fetching import every_refusal, fetch_into_store, fetchable_minor, missing_python
from envguard.running.environments.own.code import with_own_code
from envguard.running.environments.own.finishing import finish_code, lay_code
from envguard.running.environments.own.wheels import own_wheels_of
from envguard.running.environments.places.wheels import needed_of, own_wheels
from envguard.running.environments.prepared import Prepared, identity_of, installed, needs_as_much, renew_links
from envguard.running.environments.recorded import locked_environment, recorded_audits, recorded_locks, recorded_proofs
from envguard.running.events import Building, PassedBy, Receiver
from envguard.stalling import patience_of
from envguard.store.environments import BuiltEnvironment, DamagedInstall, ensure, make_folder, read_ready
from envguard.store.fingerprint import MARKER
from envguard.store.home import environments_folder, installer_cache, probe_cache, pythons_folder
from envguard.store.locking import in_use
from envguard.store.process_marks import has_ended, process_mark
from envguard.store.scratch import log_file, logs_folder, runs_folder, scratch_folder
from envguard.trust.allowing import require_allowed
from envguard.trust.records import record_path
from envguard.trust.sources import sources_of


@dataclass
class Workshop:
    """Makes environments ready on this host, each at most once per run.

    `editions` and `pythons` (minors), by environment, narrow the choice. With `find_links`, folders of wheels are
    the only source of packages; with `offline`, no network is used. Without a `backend`, the first one that has a plan
    is used. `base` replaces the catalog's base image. With `frozen`, stale locks are used as they are. With `editable`,
    the project's own code is read where it lies, if that can be.
    """

    home: Path
    user_home: Path
    environ: Mapping[str, str]
    catalog: Catalog
    receive: Receiver
    editions: Mapping[str, str] = field(default_factory=dict)
    pythons: Mapping[str, str] = field(default_factory=dict)
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    backend: str | None = None
    base: str | None = None
    frozen: bool = False
    editable: bool = False
    _ready: dict[str, Prepared] = field(default_factory=dict, init=False)
    _backends: dict[str, Backend] = field(default_factory=dict, init=False)

    @cached_property
    def host(self) -> HostFacts:
        """Every Python of this host."""
        return discover(self.environ, home=self.user_home, store=self.home)

    def backend_named(self, name: str) -> Backend:
        """The backend of that name, created on first use."""
        if name not in self._backends:
            self._backends[name] = backend_class(name)(self._surroundings())
        return self._backends[name]

    @property
    def terminal(self) -> bool:
        """Whether the requested backend lets a user's command be interactive."""
        return self.backend is None or backend_class(self.backend).terminal

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            environ=self.environ,
            base=self.base or self.catalog.base,
            offline=self.offline,
            payload=PAYLOAD.parent,
            cache=probe_cache(self.home),
            scratch=runs_folder(self.home),
            process_mark=lambda: process_mark(self.home),
            has_ended=lambda mark: has_ended(self.home, mark),
            host=lambda: self.host,
            announce=lambda environment, what, why: self.receive(Building(environment, what, why)),
        )

    def plan(self, name: str, *, edition: str | None = None, python: str | None = None, fetch: bool = False) -> Plan:
        """The plan for an environment: that of the chosen backend, or of the first that has one.

        `edition` and `python` take precedence over the workshop's own. A base image that is missing is pulled only with
        `fetch`, and a Python only if the user allows that, too. Raises StaleLock, and NoEnvironment with every reason
        if there is no plan: as MissingPython if one could be fetched.
        """
        environment = locked_environment(self.catalog, name)
        wanted = Wanted(environment, edition or self.editions.get(name), python or self.pythons.get(name), self.frozen)
        refused: list[tuple[Backend, NoEnvironment]] = []
        backends = [self.backend] if self.backend else [*BACKENDS]
        for backend in map(self.backend_named, backends):
            try:
                plan = self._plan_with(backend, wanted, fetch=fetch)
            except StaleLock:
                raise
            except NoEnvironment as error:
                refused.append((backend, error))
            else:
                before = (PassedOver(each.pythons_are, why) for each, no in refused for why in no.why.splitlines())
                candidates = tuple(map(self.with_code, plan.candidates))
                return replace(plan, candidates=candidates, passed_over=(*before, *plan.passed_over))
        none = every_refusal(refused)
        minor = self._fetchable(wanted) if HOST in backends and may_fetch(self.environ) is not False else ""
        raise missing_python(none, environment, minor, self.environ) if minor else none

    def _plan_with(self, backend: Backend, wanted: Wanted, *, fetch: bool) -> Plan:
        """A backend's plan, for which a Python is fetched if only that is missing and the user allows it."""
        environment = wanted.environment
        recorded = recorded_locks(environment), recorded_proofs(environment), recorded_audits(environment)
        try:
            return make_plan(wanted, backend.pythons(wanted.minors, fetch=fetch), *recorded)
        except StaleLock:
            raise
        except NoEnvironment:
            allowed = fetch and backend is self._backends.get(HOST) and may_fetch(self.environ)
            minor = self._fetchable(wanted) if allowed else ""
            if not minor:
                raise
        announcer = Announcer(environment.name, f"Python {minor}", self.receive)
        announcer.building("", "no Python here fits, so uv fetches one and checks its hash")
        user_sources = replace(self._installer(self.environ), tell=announcer.progress)
        fetch_into_store(minor, pythons_folder(self.home), user_sources, self.environ)
        del self.host
        return make_plan(wanted, backend.pythons(wanted.minors, fetch=fetch), *recorded)

    def _fetchable(self, wanted: Wanted) -> str:
        """The minor of a Python that would do and that uv can fetch; else empty."""
        if self._tool.uv is None or (self.offline and not is_local(self.environ)):
            return ""
        locks, proofs = recorded_locks(wanted.environment), recorded_proofs(wanted.environment)
        return fetchable_minor(wanted, self.host, locks, proofs)

    def prepare(self, name: str) -> Prepared:
        """The environment of that name; built and proved first if necessary."""
        environment = self.catalog.environments.get(name)
        if environment is not None:
            self.require_allowed(environment.folder, [name])
        if name not in self._ready:
            prepared, chosen = self._first_that_works(self.plan(name, fetch=True)), {*self.editions, *self.pythons}
            base = self.catalog.project or Path.cwd()
            self._ready[name] = renew_links(self.home, base, prepared, chosen=name in chosen)
        return self._ready[name]

    def require_allowed(self, folder: Path, environments: Iterable[str] = ()) -> None:
        """Raise NotAllowed if what is defined in that folder is the project's, whose user has not allowed it.

        If one of the `environments` has no plan, the user is told that first, because locking may change the project.
        """
        try:
            if folder == self.catalog.project:
                require_allowed(self.catalog)
        except NotAllowed:
            for name in environments:
                with contextlib.suppress(MissingPython):  # which changes nothing of the project
                    self.plan(name)
            raise

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """The variables that say where packages come from; raises BadInput as `sources_of`."""
        return sources_of(self.catalog, self.environ)

    @contextlib.contextmanager
    def holding(self, names: Iterable[str]) -> Iterator[tuple[Prepared, ...]]:
        """The environments of those names, ready, and protected from removal until the block ends."""
        with contextlib.ExitStack() as held:
            prepared = []
            for name in names:
                each = self.prepare(name)
                held.enter_context(in_use(each.built.folder))
                if not (each.built.folder / MARKER).exists():  # removed before we marked it as in use
                    del self._ready[name]
                    each = self.prepare(name)
                prepared.append(each)
            yield tuple(prepared)

    def decided_by(self, candidate: Candidate) -> tuple[Path, ...]:
        """The files that decided for this candidate: catalogs, its lock, its records, and that its user allowed it."""
        environment, edition = candidate.environment, candidate.edition.name
        lock = lock_path(environment.lockfiles, environment.name, edition, candidate.lock.python)
        project = find_project(Path.cwd(), self.environ)
        proofs = proofs_path(environment.lockfiles, environment.name, edition)
        audits = audits_path(environment.lockfiles, environment.name, edition)
        allowed = [record_path(environment.folder)] if environment.folder == self.catalog.project else []
        return (BUILTIN, *filter(None, [project]), lock, proofs, audits, *allowed)

    def look_up(self, candidate: Candidate) -> tuple[BuiltEnvironment | None, str]:
        """A candidate's environment if it is ready, else None and the reason; builds nothing."""
        identity = identity_of(candidate)
        return read_ready(environments_folder(self.home) / identity.folder_name, identity)

    def sample(self, name: str) -> dict[str, Path]:
        """The files of a sample by name, in the catalog's order; makes its environment ready first."""
        sample = self.catalog.samples[name]
        site_packages = self.prepare(sample.environment).built.layout.site_packages
        return {Path(file.path).name: site_packages / file.path for file in sample.files}

    def _first_that_works(self, plan: Plan) -> Prepared:
        failed: list[tuple[str, str]] = []
        lacking: list[Candidate] = []
        for candidate in plan.candidates:
            if any(needs_as_much(candidate, each) for each in lacking):
                continue  # building it takes minutes, to fail in the same way
            try:
                built = self.build(candidate)
                self.backend_named(candidate.backend).complete(installed(candidate, built.layout))
                return Prepared(candidate, built, tuple(failed))
            except CheckFailed as failure:
                why = f"{failure.what} {failure.why}".strip()
                failed.append((str(candidate), why))
                self.receive(PassedBy(str(candidate), why))
                remedy = failure.next_step
                if failure.gate == MISSING_LIBRARY:
                    lacking.append(candidate)
        raise NoEnvironment(
            f"Every candidate for the environment {plan.environment.name!r} failed its check.",
            why="\n".join(f"{what}: {why}" for what, why in failed),
            next_step=remedy,
        )

    def build(self, candidate: Candidate) -> BuiltEnvironment:
        """A candidate's environment, built and proved first if necessary; raises CheckFailed and NotAllowed."""
        self.require_allowed(candidate.environment.folder)
        try:
            return self._ensure(candidate)
        except DamagedInstall as damage:  # usually in uv's cache: try once more, from the index
            self.forget(damage.distributions)
            return self._ensure(candidate)

    def forget(self, distributions: tuple[str, ...]) -> None:
        """Make the next build download distributions again, because uv's cache of them is damaged."""
        forget(distributions, self._installer())

    def _ensure(self, candidate: Candidate) -> BuiltEnvironment:
        watcher, identity = Announcer(candidate.environment.name, str(candidate), self.receive), identity_of(candidate)
        overlaps, backend = candidate.environment.overlaps, self.backend_named(candidate.backend)
        installer = replace(self._installer(), tell=watcher.progress, one_by_one=overlaps)

        def build(folder: Path, held: tuple[int, ...]) -> Layout:
            code = own_wheels_of(candidate, self.builder(candidate.environment.name))
            made = (*self.own_wheels(needed_of(candidate)), *(each.path for each in code))
            own = replace(installer, own=made, own_packages=tuple(each.package for each in code))
            return backend.install(candidate, identity.key, folder, own, held)

        def prove(layout: Layout) -> Proof:
            watcher.progress("proving it")
            lay_code(self.catalog, candidate, layout.site_packages)
            try:
                return self.check(candidate, layout)
            except CheckFailed:
                backend.discard(identity.key)
                raise

        built = ensure(self.home, identity, build=build, prove=prove, watcher=watcher, overlaps=overlaps)
        return finish_code(self.home, self.catalog, candidate, built)

    def with_code(self, candidate: Candidate) -> Candidate:
        """The candidate with the code of the project's own that goes into it now."""
        return with_own_code(candidate, editable=self.editable)

    def own_wheels(self, lock: Lock) -> tuple[Path, ...]:
        """The lock's wheels that no index has, as `own_wheels`; raises NotAllowed."""
        if not any(package.is_own for package in lock.packages):
            return ()
        self.require_allowed((environment := self.catalog.environments[lock.environment]).folder)
        return own_wheels(self.builder(environment.name), lock, environment)

    def builder(self, environment: str) -> Builder:
        """Builds wheels for an environment; who uses it asks first whether the project is allowed."""
        tell = Announcer(environment, "", self.receive).part
        return Builder(self.home, self.environ, self._installer(), lambda: self.host, tell)

    def workspace(self, prepared: Prepared, folder: Path, reads: Sequence[Path]) -> Workspace:
        """Where a step runs in an environment: it may write to `folder`, and must see what is in `reads`."""
        candidate = prepared.candidate
        return self.backend_named(candidate.backend).workspace(prepared.installed, folder, reads)

    @cached_property
    def _tool(self) -> Chosen:
        """What installs; the user is told once if that is not uv and was not asked for."""
        chosen = chosen_tool(self.environ)
        if chosen.why:
            self._uv_is_passed_by(chosen.why)
        return chosen

    def _uv_is_passed_by(self, why: str) -> None:
        self.receive(PassedBy("uv", f"{why}, so virtualenv and pip install the same files"))

    def _installer(self, sources: Mapping[str, str] | None = None) -> Installer:
        logs = logs_folder(self.home)
        make_folder(logs)
        return Installer(
            self._tool.uv,
            installer_variables(self.sources if sources is None else sources),
            installer_cache(self.home),
            logs,
            self.find_links,
            self.offline,
            passed_by=self._uv_is_passed_by,
            patience=patience_of(self.environ),
            npm_variables=npm_variables(self.environ),
        )

    def check(self, candidate: Candidate, layout: Layout) -> Proof:
        """Run the check of an installed environment; raises CheckFailed and NotAllowed."""
        from envguard.running.environments.checking import check_environment

        self.require_allowed(candidate.environment.folder)
        environment = candidate.environment
        read = environment.check_inputs.items()
        samples = {name: path for name, reference in read for path in self.sample(reference.name).values()}
        held = [sample for sample in self.catalog.samples.values() if sample.environment == environment.name]
        reads = [*samples.values(), *([environment.folder] if environment.check_command else [])]
        log = log_file(self.home, f"{environment.name}-{candidate.edition.name}-check")
        with scratch_folder(runs_folder(self.home)) as folder:
            backend = self.backend_named(candidate.backend)
            workspace = backend.workspace(installed(candidate, layout), folder, reads)
            return check_environment(candidate, workspace, samples, held, self.environ, log)
