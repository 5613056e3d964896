"""The backend `container`: environments as images on base images that bring a Python, a container for each process."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, ClassVar

from envguard.backends.base_image import look_up, missing, probe_base, pull
from envguard.backends.command import command_line
from envguard.backends.container_process import (
    ContainerProcess,
    ContainerSpec,
    Mount,
    container_process,
    remove_left_over,
)
from envguard.backends.engine import Engine, ImageMissing, find_engine
from envguard.backends.image import Image, build_image, find_image, remove_image, unpack_environment
from envguard.backends.image_context import tag_of
from envguard.backends.image_layout import SITE_PACKAGES, Compiler, lay_out
from envguard.backends.inside import CONTAINER, GIVEN_INSIDE, PAYLOAD_INSIDE, WORK_INSIDE, site_packages_in_image
from envguard.backends.installers.settings import Installer
from envguard.backends.protocol import Installed, Surroundings
from envguard.backends.resources import Resources, resources_from
from envguard.errors import NoEnvironment
from envguard.host.interpreters import HostFacts, Interpreter
from envguard.layout import Layout
from envguard.planning import Candidate, Pythons, minor_of

PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
NO_BASE = (
    "Load a base image with `docker load`, create one as docs/containers.md shows, or name another with --base or "
    "ENVGUARD_BASE_IMAGE."
)


class ContainerBackend:
    """Environments as images in this machine's container engine; see `Backend`.

    It uses containers only briefly: those that a killed run left behind are removed first.
    """

    elsewhere: ClassVar[str] = "in a container"
    pythons_are: ClassVar[str] = "the Pythons of base images"
    terminal: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings

    @cached_property
    def engine(self) -> Engine:
        """The engine that the user's variables lead to; raises NoEngine."""
        engine = find_engine(self.surroundings.environ)
        remove_left_over(engine, self.surroundings.has_ended)
        return engine

    @cached_property
    def resources(self) -> Resources:
        """What a step may use."""
        return resources_from(self.surroundings.environ)

    def pythons(self, minors: Sequence[str], *, fetch: bool) -> Pythons:
        """The Pythons of the base images that are here.

        Where there is none at all, the image of the first minor is pulled, if `fetch` and the network may be used.
        """
        base = self.surroundings.base
        wanted = {base.replace("{python}", minor): minor for minor in minors}
        found = [self._probe(reference) for reference in wanted if look_up(self.engine, reference) is not None]
        absent = {minor: f"the base image {reference} is missing" for reference, minor in wanted.items()}
        if not found and wanted and fetch and not self.surroundings.offline:
            reference, minor = next(iter(wanted.items()))
            try:
                pull(self.engine, reference)
                found = [self._probe(reference)]
            except ImageMissing as error:
                absent[minor] = f"the base image {reference} is missing and cannot be pulled: {error.why}"
        if found and "{python}" not in base:
            absent = dict.fromkeys(minors, f"the base image {base} brings Python {minor_of(found[0])}")
        return Pythons(CONTAINER, HostFacts(tuple(found), ()), absent, where=self.elsewhere, remedy=NO_BASE)

    def install(
        self, candidate: Candidate, key: str, folder: Path, installer: Installer, descriptors: tuple[int, ...]
    ) -> Layout:
        """The environment out of its image, if that was built or loaded before, else from wheels."""
        if candidate.lock.npm:
            raise NoEnvironment(
                f"{candidate.environment.name} {candidate.edition.name} cannot be had in a container.",
                why="it has packages of npm's, which images do not hold",
                next_step="Use --backend venv for what needs it.",
            )
        image = find_image(self.engine, key)
        if image is not None:
            return unpack_environment(self.engine, image, folder, candidate)
        with self.surroundings.process_mark() as mark:
            compiler = Compiler(self.engine, self._base_id(candidate.interpreter), self.resources, mark)
            return lay_out(folder, candidate, installer, compiler, descriptors)

    def complete(self, installed: Installed) -> None:
        """Build the environment's image if the engine does not have it."""
        self.image(installed)

    def workspace(self, installed: Installed, folder: Path, reads: Sequence[Path]) -> ContainerWorkspace:
        """A container of the environment's image for each process."""
        return ContainerWorkspace(self, installed, self.image(installed), folder, tuple(reads))

    def discard(self, key: str) -> None:
        """Remove the environment's image."""
        image = find_image(self.engine, key)
        if image is not None:
            remove_image(self.engine, image)

    def installed_in(self, folder: Path) -> bool:
        """Whether there are packages without an interpreter."""
        return not (folder / "venv").is_dir() and (folder / SITE_PACKAGES).is_dir()

    def image(self, installed: Installed) -> Image:
        """The image of an environment, built first if necessary."""
        return find_image(self.engine, installed.key) or self.build(installed)

    def build(self, installed: Installed, *, cache: bool = True) -> Image:
        """The image of an environment, built now; with `cache`, from the layers that the engine has kept."""
        surroundings = self.surroundings
        surroundings.announce(installed.candidate.environment.name, tag_of(installed), "its image")
        base_id = self._base_id(installed.candidate.interpreter)
        surroundings.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="image-", dir=surroundings.scratch) as folder:
            return build_image(self.engine, installed, base_id, Path(folder), cache=cache)

    def _probe(self, reference: str) -> Interpreter:
        with self.surroundings.process_mark() as mark:
            return probe_base(self.engine, reference, owner=mark, cache=self.surroundings.cache / "images")

    def _base_id(self, interpreter: Interpreter) -> str:
        """The engine's own id of a base image, which must still be the one that was probed."""
        assert interpreter.base is not None
        found = look_up(self.engine, interpreter.base.reference)
        if found is None:
            raise missing(interpreter.base.reference, "it was removed in the meantime")
        if found.content_id != interpreter.base.id:
            raise NoEnvironment(
                f"The base image {interpreter.base} was replaced in the meantime.", next_step="Run the command again."
            )
        return found.id


@dataclass(frozen=True, slots=True)
class ContainerWorkspace:
    """A container of an image for each process: it sees the payload and `reads`, read-only, and the folder."""

    backend: ContainerBackend
    installed: Installed
    image: Image
    folder: Path
    reads: tuple[Path, ...]

    @property
    def layout(self) -> Layout:
        """Where the environment lies on this machine."""
        return self.installed.layout

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """Everything of this machine that is to be seen inside, always under the same names."""
        return (
            Mount(self.backend.surroundings.payload, PAYLOAD_INSIDE),
            Mount(self.folder, WORK_INSIDE, writable=True),
            *(
                Mount(path, GIVEN_INSIDE / str(number) / ("" if path.is_dir() else path.name))
                for number, path in enumerate(self.reads)
            ),
        )

    def path_inside(self, path: Path) -> str:
        """The path inside; to ask for one that is not mounted is a fault of the caller."""
        if path == self.layout.python:
            return path.as_posix()
        targets = {mount.source: mount.target for mount in self.mounts}
        targets[self.layout.site_packages] = site_packages_in_image(self.installed.candidate.interpreter)
        source = max((each for each in targets if path.is_relative_to(each)), key=lambda each: len(each.parts))
        return (targets[source] / path.relative_to(source).as_posix()).as_posix()

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The same on every host."""
        programs = f"{self.layout.python.parent.as_posix()}:{self.path_inside(self.layout.programs)}:{PROGRAMS}"
        return {"PATH": programs, "HOME": str(WORK_INSIDE), "TMPDIR": "/tmp", "LANG": "C.UTF-8"}

    @contextlib.contextmanager
    def process(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        log: IO[bytes],
        *,
        talks: bool,
        memory: int | None = None,
        network: bool = False,
    ) -> Iterator[ContainerProcess]:
        """Run a command in a container of its own, which ends with us."""
        backend = self.backend
        resources = backend.resources if memory is None else replace(backend.resources, memory=memory)
        launcher = (self.path_inside(self.layout.python), "-I", "-B", str(PAYLOAD_INSIDE / "launch.py"))
        with backend.surroundings.process_mark() as mark:
            spec = ContainerSpec(
                self.image.id, (*launcher, *command), self.mounts, variables, WORK_INSIDE, mark, network
            )
            with container_process(backend.engine, spec, resources, log, talks=talks) as process:
                yield process

    def run_command(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        here: bool = False,
        keep: Sequence[int] = (),
    ) -> int:
        """The command in the folder; it reads nothing from us, and has no terminal and no network."""
        line = command_line(command, self.path_inside(self.layout.python), here=here)
        variables = {**self.variables(environ), "HOME": "/tmp", "PYTHONUNBUFFERED": "1"}
        with self.process(line, variables, sys.stderr.buffer, talks=True) as process:
            assert process.stdout is not None
            while piece := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]  # of a pipe, which is buffered
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
            return process.exit_code()
