"""From an environment's name to one that is ready: plan, build, prove, and try the next candidate if a check fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.backends.installing import Installer, build_venv, forget_distributions
from envguard.catalog.model import Catalog, Environment
from envguard.catalog.projects import find_project
from envguard.catalog.shipped import BUILTIN
from envguard.errors import BadInput, NoEnvironment
from envguard.host.interpreters import HostFacts
from envguard.host.variables import installer_variables
from envguard.layout import Layout
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.proofs import Proof, proofs_path, read_proofs
from envguard.locks.uv import find_uv
from envguard.planning import NOTHING_ABSENT, Backend, Candidate, LockKey, PassedOver, Plan, make_plan
from envguard.running.checking import CheckFailed, check_environment
from envguard.running.events import Building, BuildProgress, PassedBy, Receiver, Waiting
from envguard.running.place import HostPlace, Place
from envguard.running.step import scratch_folder
from envguard.store.environments import BuiltEnvironment, DamagedInstall, ensure, make_folder, read_ready
from envguard.store.fingerprint import MARKER
from envguard.store.home import environments_folder, installer_cache, log_file, logs_folder, probe_cache, runs_folder
from envguard.store.identity import Identity
from envguard.store.locking import in_use

if TYPE_CHECKING:
    from envguard.backends.image import Image
    from envguard.running.containers import Containers


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment that is ready, the candidate that it came from, and those that failed before it."""

    candidate: Candidate
    built: BuiltEnvironment
    failed: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, object]:
        """The environment for `--json`."""
        python = self.candidate.interpreter
        return {
            "name": self.candidate.environment.name,
            "edition": self.candidate.edition.name,
            "python": python.version_text,
            "interpreter": str(python.path),
            "backend": self.candidate.backend,
            "base": python.base.reference if python.base else None,
            "lock": self.candidate.lock.digest,
            "folder": str(self.built.folder),
            "built_now": self.built.fresh,
            "proof": self.built.proof.as_json(),
            "failed_before": [{"what": what, "why": why} for what, why in self.failed],
        }


@dataclass
class Workshop:
    """Makes environments ready on this host, each at most once per run.

    `editions` and `pythons` (minors), by environment, narrow the choice. With `find_links`, folders of wheels are
    the only source of packages; with `offline`, no network is used. Without a `backend`, containers are taken where no
    Python of this host fits and an engine is there.
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
    backend: Backend | None = None
    _ready: dict[str, Prepared] = field(default_factory=dict)

    @cached_property
    def host(self) -> HostFacts:
        """Every Python of this host."""
        from envguard.host.discovery import discover

        return discover(self.environ, home=self.user_home, cache=probe_cache(self.home))

    @cached_property
    def containers(self) -> Containers:
        """The container engine and base images; nothing is asked of an engine before it is needed."""
        from envguard.running.containers import Containers

        base = self.environ.get("ENVGUARD_BASE_IMAGE") or self.catalog.base
        return Containers(self.home, self.environ, base, self.offline)

    def plan(self, name: str, *, edition: str | None = None, python: str | None = None, fetch: bool = False) -> Plan:
        """The plan for an environment; raises NoEnvironment with every reason where there is none.

        `edition` and `python` go before the workshop's own. A base image that is missing is pulled only with `fetch`.
        """
        environment = self.catalog.environments.get(name)
        if environment is None:
            known = ", ".join(self.catalog.environments)
            raise BadInput(f"There is no environment {name!r}.", next_step=f"Choose one of: {known}.")
        wanted = _Wanted(environment, edition or self.editions.get(name), python or self.pythons.get(name))
        if self.backend == "container":
            return self._plan_in_containers(wanted, fetch)
        try:
            return wanted.plan(self.host)
        except NoEnvironment as error:
            if self.backend == "venv":
                raise
            return self._plan_instead(wanted, error, fetch)

    def _plan_in_containers(self, wanted: _Wanted, fetch: bool) -> Plan:
        return self.containers.plan(wanted.environment.name, wanted.minors, wanted.plan, fetch=fetch)

    def _plan_instead(self, wanted: _Wanted, error: NoEnvironment, fetch: bool) -> Plan:
        """A plan in containers, where this host's own Pythons allow none; `error` says why."""
        try:
            plan = self._plan_in_containers(wanted, fetch)
        except NoEnvironment as other:
            why = f"{error.why}\nin a container: {other.what} {other.why}"
            raise NoEnvironment(error.what, why=why, next_step=error.next_step) from other
        reasons = (PassedOver("this host's own Pythons", reason) for reason in error.why.splitlines())
        return replace(plan, passed_over=(*reasons, *plan.passed_over))

    def prepare(self, name: str) -> Prepared:
        """The environment of that name, built and proved now if it was not there."""
        if name not in self._ready:
            self._ready[name] = self._first_that_works(self.plan(name, fetch=True))
        return self._ready[name]

    @contextlib.contextmanager
    def holding(self, names: Iterable[str]) -> Iterator[tuple[Prepared, ...]]:
        """The environments of those names, ready, and kept from being removed until the block ends."""
        with contextlib.ExitStack() as held:
            prepared = []
            for name in names:
                each = self.prepare(name)
                held.enter_context(in_use(each.built.folder))
                if not (each.built.folder / MARKER).exists():  # removed between being ready and being in use
                    del self._ready[name]
                    each = self.prepare(name)
                prepared.append(each)
            yield tuple(prepared)

    def decided_by(self, candidate: Candidate) -> tuple[Path, ...]:
        """The files that made this candidate the one that is taken: catalogs, its lock, what is proved of it."""
        environment, edition = candidate.environment, candidate.edition.name
        lock = lock_path(environment.lockfiles, environment.name, edition, candidate.lock.python)
        project = find_project(Path.cwd(), self.environ)
        return (BUILTIN, *filter(None, [project]), lock, proofs_path(environment.lockfiles, environment.name, edition))

    def look_up(self, candidate: Candidate) -> tuple[BuiltEnvironment | None, str]:
        """A candidate's environment if it is ready, or None and the reason why it is not; builds nothing."""
        identity = identity_of(candidate)
        return read_ready(environments_folder(self.home) / identity.folder_name, identity)

    def sample(self, name: str) -> dict[str, Path]:
        """The files of a sample by file name, in the catalog's order; its environment is made ready first."""
        sample = self.catalog.samples[name]
        site_packages = self.prepare(sample.environment).built.layout.site_packages
        return {Path(file.path).name: site_packages / file.path for file in sample.files}

    def _first_that_works(self, plan: Plan) -> Prepared:
        failed: list[tuple[str, str]] = []
        for candidate in plan.candidates:
            try:
                built = self.build(candidate)
                if candidate.backend == "container":
                    self.image(candidate, built.layout)  # now, and not by each of several runs at once
                return Prepared(candidate, built, tuple(failed))
            except CheckFailed as failure:
                why = f"{failure.what} {failure.why}".strip()
                failed.append((str(candidate), why))
                self.receive(PassedBy(str(candidate), why))
                remedy = failure.next_step
        raise NoEnvironment(
            f"Every candidate for the environment {plan.environment.name!r} failed its check.",
            why="\n".join(f"{what}: {why}" for what, why in failed),
            next_step=remedy,
        )

    def build(self, candidate: Candidate) -> BuiltEnvironment:
        """A candidate's environment, built and proved now if it was not there; raises CheckFailed."""
        try:
            return self._ensure(candidate)
        except DamagedInstall as damage:  # by uv's cache, as a rule: once more, from the index
            self.forget(damage.distributions)
            return self._ensure(candidate)

    def forget(self, distributions: tuple[str, ...]) -> None:
        """Fetch distributions anew for the next build, because uv's cache of them is damaged."""
        forget_distributions(distributions, self._installer())

    def _ensure(self, candidate: Candidate) -> BuiltEnvironment:
        watcher, identity = _Announcer(candidate, self.receive), identity_of(candidate)
        installer = replace(self._installer(), tell=watcher.progress)

        def build(folder: Path, held: tuple[int, ...]) -> Layout:
            if candidate.backend == "container":
                return self.containers.lay_out(candidate, identity.key, folder, installer, held)
            return build_venv(folder, candidate.interpreter.real_path, candidate.lock, installer, held)

        def prove(layout: Layout) -> Proof:
            watcher.progress("proving it")
            try:
                return self.check(candidate, layout)
            except CheckFailed:
                if candidate.backend == "container":
                    self.containers.forget(identity.key)
                raise

        return ensure(self.home, identity, build=build, prove=prove, watcher=watcher)

    def place(self, prepared: Prepared, folder: Path, reads: Sequence[Path]) -> Place:
        """Where a step runs in an environment: it may write to `folder` and must see what is in `reads`."""
        return self._place(prepared.candidate, prepared.built.layout, folder, reads)

    def _place(self, candidate: Candidate, layout: Layout, folder: Path, reads: Sequence[Path]) -> Place:
        if candidate.backend == "venv":
            return HostPlace(layout, folder)
        from envguard.running.containers import ContainerPlace

        image = self.image(candidate, layout)
        return ContainerPlace(self.containers, image, candidate.interpreter, layout, folder, tuple(reads))

    def image(self, candidate: Candidate, layout: Layout, *, anew: bool = False) -> Image:
        """The image of a candidate's environment, built now if it is not there, or in any case `anew`."""
        from envguard.backends.image_context import Recipe

        recipe = Recipe(candidate, layout, identity_of(candidate).key)
        building = lambda tag: self.receive(Building(candidate.environment.name, tag, "its image"))  # noqa: E731
        if anew:
            return self.containers.build(recipe, building, cache=False)
        return self.containers.image(recipe, building)

    def _installer(self) -> Installer:
        logs = logs_folder(self.home)
        make_folder(logs)
        variables, cache = installer_variables(self.environ), installer_cache(self.home)
        return Installer(find_uv(), variables, cache, logs, self.find_links, self.offline)

    def check(self, candidate: Candidate, layout: Layout) -> Proof:
        """Put an installed environment to its check; raises CheckFailed."""
        environment = candidate.environment
        samples = {
            name: path
            for name, reference in environment.check_inputs.items()
            for path in self.sample(reference.name).values()
        }
        held = [sample for sample in self.catalog.samples.values() if sample.environment == environment.name]
        reads = [*samples.values(), *([environment.folder] if environment.check_command else [])]
        log = log_file(self.home, f"{environment.name}-{candidate.edition.name}-check")
        with scratch_folder(runs_folder(self.home)) as folder:
            place = self._place(candidate, layout, folder, reads)
            return check_environment(candidate, place, samples, held, self.environ, log)


def recorded_locks(environment: Environment) -> dict[LockKey, Lock]:
    """The locks that an environment has, by edition and Python minor."""
    locks = {}
    for edition in environment.editions:
        for python in edition.pythons:
            path = lock_path(environment.lockfiles, environment.name, edition.name, python)
            if path.is_file():
                locks[edition.name, python] = read_lock(path)
    return locks


def recorded_proofs(environment: Environment) -> dict[str, tuple[Proof, ...]]:
    """What is recorded of an environment's locks, by edition."""
    return {
        edition.name: read_proofs(proofs_path(environment.lockfiles, environment.name, edition.name))
        for edition in environment.editions
    }


def identity_of(candidate: Candidate) -> Identity:
    """What the candidate's environment is made of."""
    python = candidate.interpreter
    return Identity(
        environment=candidate.environment.name,
        edition=candidate.edition.name,
        lock=candidate.lock.digest,
        interpreter=f"{python.base.id}:{python.real_path}" if python.base else str(python.real_path),
        python_version=python.version_text,
        python_build=python.facts.build,
        platform=python.facts.platform,
        backend=candidate.backend,
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An environment, and the edition and Python minor that were asked for, if any were."""

    environment: Environment
    edition: str | None
    python: str | None

    @property
    def minors(self) -> list[str]:
        """The Python minors that would do, the preferred first."""
        editions = (each for each in self.environment.editions if self.edition in (None, each.name))
        asked = [each for each in editions if each.offered or self.edition is not None]
        return list(dict.fromkeys(minor for each in asked for minor in each.pythons if self.python in (None, minor)))

    def plan(self, host: HostFacts, absent: Mapping[str, str] = NOTHING_ABSENT) -> Plan:
        """The plan on these Pythons; see `make_plan`."""
        return make_plan(
            self.environment,
            host,
            recorded_locks(self.environment),
            proofs=recorded_proofs(self.environment),
            edition=self.edition,
            python=self.python,
            absent=absent,
        )


@dataclass(frozen=True, slots=True)
class _Announcer:
    """Turns what the store says into events."""

    candidate: Candidate
    receive: Receiver

    def building(self, environment: str, why: str) -> None:
        self.receive(Building(environment, str(self.candidate), why))

    def progress(self, label: str, done: float = 0, total: float = 0) -> None:
        self.receive(BuildProgress(self.candidate.environment.name, label, done, total))

    def waiting(self, environment: str, holder: str) -> None:
        self.receive(Waiting(environment, holder))
