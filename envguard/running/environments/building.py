"""Packages without wheels: lock what builds them, build them, and build them again where only the lock has come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name

from envguard import __version__
from envguard.backends.building.compilers import compiler_for, is_native
from envguard.backends.building.fetching import fetch_sdist
from envguard.backends.building.source import build_system_of, unpack
from envguard.backends.building.wheels import Yard, requires_of, why_not_shut_in
from envguard.backends.installers.choosing import chosen_tool
from envguard.backends.installers.settings import Installer
from envguard.backends.installing import build_venv
from envguard.errors import BrokenData, NoEnvironment
from envguard.files import file_facts
from envguard.host.discovery import discover
from envguard.host.interpreters import HostFacts, Interpreter
from envguard.host.variables import installer_variables
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel, LockRequest
from envguard.locks.resolver import resolve
from envguard.locks.sdists.built import BuildTool, KnownRelease, LockedBuild
from envguard.locks.uv import UvSetup, find_uv
from envguard.planning import best_interpreter
from envguard.requirement import written
from envguard.stalling import patience_of
from envguard.store.built import BuildRecord, keep_wheel, kept_wheel, mark_used, read_build, sdists_folder, write_build
from envguard.store.environments import make_folder
from envguard.store.home import installer_cache
from envguard.store.scratch import logs_folder, runs_folder, scratch_folder


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds wheels with this host's Pythons, which `host` finds, and keeps them in the store at `home`.

    `environ` are the user's variables, and `announce` is told what is built and why that may need care.
    """

    home: Path
    environ: Mapping[str, str]
    installer: Installer
    host: Callable[[], HostFacts]
    announce: Callable[[str, str], None]

    def locked(self, request: LockRequest, *, cut_off: str) -> Lock:
        """Resolve as `resolve` does, and build what has to be built; its requirements count, once they are known.

        Raises what `resolve` raises, BrokenData, and NoEnvironment if something cannot be built.
        """
        made: dict[tuple[str, str], tuple[LockedPackage, KnownRelease]] = {}
        while True:
            asked = replace(request, known=tuple(known for _, known in made.values()))
            lock = resolve(asked, cut_off=cut_off, uv=self._uv)
            new = [each for each in lock.packages if _is_to_build(each) and (each.name, each.version) not in made]
            for each in new:
                made[each.name, each.version] = self.made(each, request, cut_off)
            if not new:
                return replace(lock, packages=tuple(_as_made(each, made) for each in lock.packages))

    @property
    def _uv(self) -> UvSetup:
        return UvSetup(find_uv(), self.installer.variables, self.installer.cache)

    def made(self, package: LockedPackage, request: LockRequest, cut_off: str) -> tuple[LockedPackage, KnownRelease]:
        """A package with its wheel and what that was built with, and what it requires."""
        assert package.build is not None
        python, archive = self._python(request.python, package), self._fetched(package.build)
        compiler = compiler_for(python.real_path, self.environ)

        def tools_for(requires: Sequence[str]) -> Lock:
            asked = LockRequest(request.environment, request.edition, request.python, tuple(requires))
            return resolve(replace(asked, indexes=request.indexes), cut_off=cut_off, uv=self._uv)

        with scratch_folder(runs_folder(self.home)) as folder:
            project = _unpacked(archive, folder / "asking", package.build)
            system = build_system_of(project, archive.name)
            tools = tools_for(system.requires) if system.requires else request.lock(cut_off, ())
            source = (package.build.sha256, package.build.subdirectory)
            made_of = (source, python.facts.as_json(), compiler, __version__, tools_in(tools))
            before = read_build(self.home, key := _digest(made_of))
            also = before.also if before else self._also(project, folder / "asking", python, tools, package)
            if set(also) - set(system.requires):
                tools = tools_for((*system.requires, *also))
            of_all = _digest(tools_in(tools))
            wheel = kept_wheel(self.home, before.wheel, before.sha256) if before and before.tools == of_all else None
            if wheel is None:
                wheel = keep_wheel(self.home, self._built(archive, folder / "making", python, tools, package))
                record = BuildRecord(also, of_all, wheel.name, file_facts(wheel).sha256)
                write_build(self.home, key, record)
        build = replace(
            package.build, tools=tools_in(tools), compiler=compiler if is_native(wheel.name) else "", url=""
        )
        done = replace(package, wheels=(LockedWheel(wheel.name, file_facts(wheel).sha256),), build=build)
        return done, KnownRelease(package.name, package.version, tuple(map(written, requires_of(wheel))))

    def built_again(self, package: LockedPackage, wheel: LockedWheel, lock: Lock) -> Path:
        """The wheel of a lock that came without it, from the same sdist and with the same tools."""
        assert package.build is not None
        if self.installer.offline or self.installer.find_links:
            raise NoEnvironment(
                f"The built wheel {wheel.filename} is not here.",
                why="nothing may be fetched to build it from; it is neither in the store nor in a folder named with "
                "--find-links",
                next_step="Bring it with `envguard export ENV --format wheelhouse` from a machine that has it, or run "
                "the same command once with a network.",
            )
        python = self._python(lock.python, package)
        with scratch_folder(runs_folder(self.home)) as folder:
            build = package.build if package.is_given else replace(package.build, url=self._url(package, lock))
            archive = self._fetched(build)
            tools = replace(lock, packages=packages_of(build.tools), npm=(), build=())
            made = self._built(archive, folder / "making", python, tools, package)
            if file_facts(made).sha256 != wheel.sha256 or made.name != wheel.filename:
                raise _another(package, wheel, made, compiler_for(python.real_path, self.environ))
            return keep_wheel(self.home, made)

    def _url(self, package: LockedPackage, lock: Lock) -> str:
        """Where the index has the sdist of a lock; raises NoEnvironment if it has none, or another."""
        name, build = canonicalize_name(package.name), package.build
        asked = LockRequest(
            lock.environment, lock.edition, lock.python, (f"{package.name}=={package.version}",),
            indexes=((name, package.index),) if package.index else (), build=(name,),
        )  # fmt: skip
        offered = [each.build for each in resolve(asked, cut_off=lock.cut_off, uv=self._uv).packages if each.build]
        url = next((each.url for each in offered if build and each.sha256 == build.sha256), "")
        if not url:
            raise NoEnvironment(
                f"The package index does not have the sdist of {package.name} {package.version} that the lock names.",
                why=", ".join(f"it has {each.filename} with the SHA-256 {each.sha256}" for each in offered),
                next_step="Use an index that has it, or bring the wheel with `envguard export ENV --format wheelhouse` "
                "from a machine that has it.",
            )
        return url

    def _python(self, minor: str, package: LockedPackage) -> Interpreter:
        found = best_interpreter(self.host().interpreters, minor)
        if found is None:
            raise NoEnvironment(
                f"The wheel of {f'{package.name} {package.version}'.strip()} cannot be built.",
                why=f"it is for Python {minor}, which this host does not have",
                next_step=f"Install Python {minor}, or take it from the `pythons` of the edition in the catalog.",
            )
        return found

    def _fetched(self, build: LockedBuild) -> Path:
        path = fetch_sdist(build, sdists_folder(self.home), self.installer.variables)
        mark_used(path)
        return path

    def _installed(self, folder: Path, python: Interpreter, tools: Lock) -> Path:
        """The Python of an environment of what builds something."""
        return build_venv(folder, python.real_path, tools, self.installer).python

    def _also(
        self, project: Path, folder: Path, python: Interpreter, tools: Lock, package: LockedPackage
    ) -> tuple[str, ...]:
        """What the build of a project, unpacked in that folder, requires besides its tools (PEP 508)."""
        self._say(package)
        yard = Yard(folder, project, self._installed(folder, python, tools), self.environ)
        return tuple(map(written, yard.also_requires(package.name, build_system_of(project, package.name))))

    def _built(self, archive: Path, folder: Path, python: Interpreter, tools: Lock, package: LockedPackage) -> Path:
        """A wheel from an sdist in which nothing has been run yet."""
        self._say(package)
        assert package.build is not None
        project = _unpacked(archive, folder, package.build)
        yard = Yard(folder, project, self._installed(folder, python, tools), self.environ)
        return yard.build(package.name, package.version, build_system_of(project, archive.name))

    def _say(self, package: LockedPackage) -> None:
        why = why_not_shut_in()
        careful = f"; it is not kept from the network and from your files, because {why}" if why else ""
        source = "sources" if package.commit else "sdist"
        self.announce(f"{package.name} {package.version}".strip(), f"its wheel is built from its {source}{careful}")


def _another(package: LockedPackage, wheel: LockedWheel, made: Path, compiler: str) -> NoEnvironment:
    assert package.build is not None
    before = package.build.compiler
    reason = "what builds it does not always give the same"
    if before and before != compiler:
        reason = f"the lock's was compiled by {before}, and here is {compiler or 'another compiler'}"
    elif is_native(made.name):
        reason = "it has native code, which depends on the system that it is compiled on"
    return NoEnvironment(
        f"{package.name} {package.version}, built here, is not the wheel of the lock.",
        why=f"from the same sdist and with the same tools came {made.name} with the SHA-256 {file_facts(made).sha256}, "
        f"not {wheel.filename} with {wheel.sha256}: {reason}",
        next_step="Bring the lock's wheel with `envguard export ENV --format wheelhouse` from a machine that has it, "
        "and name its folder with --find-links; or lock again with `envguard lock`.",
    )


def _digest(value: object) -> str:
    """SHA-256 of what a value prints, in hex."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _is_to_build(package: LockedPackage) -> bool:
    """Whether an index has its source, of which a wheel is to be made."""
    return package.build is not None and not package.is_given


def _unpacked(archive: Path, folder: Path, build: LockedBuild) -> Path:
    """An sdist's project below the one folder that its build may write to: many write beside their source."""
    folder.mkdir()
    project = unpack(archive, folder / "source") / build.subdirectory
    if not project.is_dir():
        raise BrokenData(
            f"{archive.name} has no folder {build.subdirectory}.",
            next_step="Correct the #subdirectory= of the requirement in the catalog.",
        )
    return project


def _as_made(
    package: LockedPackage, made: Mapping[tuple[str, str], tuple[LockedPackage, KnownRelease]]
) -> LockedPackage:
    """The package with what was built, at the place and with the marker that the last resolution gave it."""
    if not _is_to_build(package):
        return package
    done, _ = made[package.name, package.version]
    return replace(package, wheels=done.wheels, build=done.build)


def tools_in(lock: Lock) -> tuple[BuildTool, ...]:
    """The lock of what builds something, as another lock has it."""
    return tuple(
        BuildTool(each.filename, each.sha256, package.marker) for package in lock.packages for each in package.wheels
    )


def packages_of(tools: Sequence[BuildTool]) -> tuple[LockedPackage, ...]:
    """The same, as packages to install."""
    found: dict[tuple[tuple[str, str], str], list[LockedWheel]] = {}
    for tool in tools:
        found.setdefault((tool.release, tool.marker), []).append(LockedWheel(tool.filename, tool.sha256))
    return tuple(
        LockedPackage(name, version, marker, tuple(wheels)) for ((name, version), marker), wheels in found.items()
    )


def builder_of(environ: Mapping[str, str], home: Path) -> Builder:
    """A builder with these variables, for who has no workshop."""
    logs = logs_folder(home)
    make_folder(logs)
    installer = Installer(
        chosen_tool(environ).uv,
        installer_variables(environ),
        installer_cache(home),
        logs,
        patience=patience_of(environ),
    )
    facts = cache(lambda: discover(environ, home=Path.home(), store=home))
    return Builder(home, environ, installer, facts, lambda what, why: None)
