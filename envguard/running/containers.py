"""This host's container engine as runs use it: Pythons of base images, images of environments, places for steps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from envguard.backends.base_image import content_id, image_facts, missing, probe_base, pull
from envguard.backends.container_process import (
    ContainerProcess,
    Limits,
    Mount,
    Order,
    container_process,
    limits_from,
    remove_left_over,
)
from envguard.backends.engine import Engine, ImageMissing, find_engine
from envguard.backends.image import Image, build_image, find_image, remove_image, unpack_environment
from envguard.backends.image_context import Recipe
from envguard.backends.image_layout import Compiler, lay_out, site_packages_in_image
from envguard.backends.installing import Installer
from envguard.errors import NoEnvironment
from envguard.host.interpreters import HostFacts, Interpreter
from envguard.layout import Layout
from envguard.planning import Candidate, Plan, minor_of
from envguard.running.step import PAYLOAD, scratch_folder
from envguard.store.home import probe_cache, runs_folder
from envguard.store.process_marks import has_ended, process_mark

PAYLOAD_INSIDE = PurePosixPath("/envguard/payload")
WORK_INSIDE = PurePosixPath("/envguard/work")
GIVEN_INSIDE = PurePosixPath("/envguard/in")
PROGRAMS = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Containers:
    """The engine that `environ` leads to, and the base images to build on (`{python}` stands for the minor).

    What it needs of containers it needs for moments: those that a killed run has left are removed first.
    """

    home: Path
    environ: Mapping[str, str]
    base: str
    offline: bool = False

    @cached_property
    def engine(self) -> Engine:
        """The engine; raises NoEngine."""
        engine = find_engine(self.environ)
        remove_left_over(engine, lambda owner: has_ended(self.home, owner))
        return engine

    @cached_property
    def limits(self) -> Limits:
        """What a step may use."""
        return limits_from(self.environ)

    def plan(
        self,
        name: str,
        minors: Sequence[str],
        planned: Callable[[HostFacts, Mapping[str, str]], Plan],
        *,
        fetch: bool,
    ) -> Plan:
        """What is `planned` on the Pythons of base images for an environment; raises NoEnvironment. See `pythons`."""
        host, absent = self.pythons(minors, fetch=fetch)
        try:
            return planned(host, absent)
        except NoEnvironment as error:
            raise NoEnvironment(
                f"No environment {name!r} can be had in a container.",
                why=error.why,
                next_step="Load a base image with `docker load`, make one as docs/containers.md shows, or name another "
                "with --base or ENVGUARD_BASE_IMAGE.",
            ) from error

    def pythons(self, minors: Sequence[str], *, fetch: bool) -> tuple[HostFacts, dict[str, str]]:
        """The Pythons of the base images that are here, and by minor why there is none.

        Where there is none at all, the image of the first minor is pulled, if `fetch` and the network may be used.
        """
        wanted = {self.base.replace("{python}", minor): minor for minor in minors}
        found = [self._probe(reference) for reference in wanted if image_facts(self.engine, reference) is not None]
        absent = {minor: f"the base image {reference} is not here" for reference, minor in wanted.items()}
        if not found and wanted and fetch and not self.offline:
            reference, minor = next(iter(wanted.items()))
            try:
                pull(self.engine, reference)
                found = [self._probe(reference)]
            except ImageMissing as error:
                absent[minor] = f"the base image {reference} is not here and cannot be pulled: {error.why}"
        if found and "{python}" not in self.base:
            absent = dict.fromkeys(minors, f"the base image {self.base} brings Python {minor_of(found[0])}")
        return HostFacts(tuple(found), ()), absent

    def lay_out(
        self, candidate: Candidate, key: str, folder: Path, installer: Installer, descriptors: tuple[int, ...]
    ) -> Layout:
        """The environment of a candidate on this host: out of its image, if that was built or loaded, else from wheels.

        `key` is its key in the store.
        """
        interpreter = candidate.interpreter
        image = find_image(self.engine, key)
        if image is not None:
            return unpack_environment(self.engine, image, folder, candidate)
        with process_mark(self.home) as owner:
            compiler = Compiler(self.engine, self._base_id(interpreter), self.limits, owner)
            return lay_out(folder, interpreter, candidate.lock, installer, compiler, descriptors)

    def image(self, recipe: Recipe, building: Callable[[str], None]) -> Image:
        """The image of an environment, built now if it is not there; `building` is told its tag before."""
        return find_image(self.engine, recipe.key) or self.build(recipe, building)

    def build(self, recipe: Recipe, building: Callable[[str], None], *, cache: bool = True) -> Image:
        """The image of an environment, built now."""
        building(recipe.tag)
        base_id = self._base_id(recipe.candidate.interpreter)
        with scratch_folder(runs_folder(self.home)) as scratch:
            return build_image(self.engine, recipe, base_id, scratch, cache=cache)

    def forget(self, key: str) -> None:
        """Remove the image of an environment that turned out to be bad."""
        image = find_image(self.engine, key)
        if image is not None:
            remove_image(self.engine, image)

    def _probe(self, reference: str) -> Interpreter:
        with process_mark(self.home) as owner:
            return probe_base(self.engine, reference, owner=owner, cache=probe_cache(self.home) / "images")

    def _base_id(self, interpreter: Interpreter) -> str:
        """The engine's own id of a base image, which must still be the one that was probed."""
        assert interpreter.base is not None
        found = image_facts(self.engine, interpreter.base.reference)
        if found is None:
            raise missing(interpreter.base.reference, "it was removed meanwhile")
        if content_id(found) != interpreter.base.id:
            raise NoEnvironment(f"The base image {interpreter.base} was replaced meanwhile.", next_step="Run again.")
        return str(found["Id"])


@dataclass(frozen=True, slots=True)
class ContainerPlace:
    """A container of an image for each process: it sees the payload and `reads`, read-only, and the scratch folder."""

    containers: Containers
    image: Image
    interpreter: Interpreter
    layout: Layout
    folder: Path
    reads: tuple[Path, ...]

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """Everything of this host that is to be seen inside, always at the same places."""
        return (
            Mount(PAYLOAD.parent, PAYLOAD_INSIDE),
            Mount(self.folder, WORK_INSIDE, writable=True),
            *(
                Mount(path, GIVEN_INSIDE / str(place) / ("" if path.is_dir() else path.name))
                for place, path in enumerate(self.reads)
            ),
        )

    def seen(self, path: Path) -> str:
        """The place inside; a path that is not mounted is a fault of the caller."""
        if path == self.layout.python:
            return path.as_posix()
        places = {mount.source: mount.target for mount in self.mounts}
        places[self.layout.site_packages] = site_packages_in_image(self.interpreter)
        source = max((each for each in places if path.is_relative_to(each)), key=lambda each: len(each.parts))
        return (places[source] / path.relative_to(source).as_posix()).as_posix()

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The same on every host."""
        programs = f"{self.layout.python.parent.as_posix()}:{self.seen(self.layout.programs)}:{PROGRAMS}"
        return {"PATH": programs, "HOME": str(WORK_INSIDE), "TMPDIR": "/tmp", "LANG": "C.UTF-8"}

    @contextlib.contextmanager
    def process(
        self, command: Sequence[str], variables: Mapping[str, str], log: IO[bytes], *, talks: bool
    ) -> Iterator[ContainerProcess]:
        """Run a command in a container of its own, which ends with us."""
        launcher = (self.seen(self.layout.python), "-I", "-B", self.seen(PAYLOAD.with_name("launch.py")))
        with process_mark(self.containers.home) as owner:
            order = Order(self.image.id, (*launcher, *command), self.mounts, variables, WORK_INSIDE, owner)
            with container_process(self.containers.engine, order, self.containers.limits, log, talks=talks) as process:
                yield process
