"""Lock what a project's own packages need to be built and to run; what only their backends know is asked there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from envguard.backends.building.wheels import requires_of
from envguard.errors import BrokenData
from envguard.locks.lockfile import Lock, LockRequest
from envguard.locks.resolver import CannotResolve, resolve
from envguard.locks.sdists.own import LockedOwn
from envguard.locks.uv import UvSetup, find_uv
from envguard.requirement import OwnPackage, written
from envguard.running.environments.building import Builder, tools_in
from envguard.running.environments.own.sheds import python_for, say, shed_for
from envguard.running.environments.places.finding import locked_with_places

# Their editable installations build again when they are imported, with tools that are gone by then.
BUILD_ON_IMPORT = ("mesonpy",)


def locked_with_own(builder: Builder, request: LockRequest, *, cut_off: str) -> Lock:
    """Resolve what the request and its own packages require together.

    Raises what `resolve` raises, BrokenData, and NoEnvironment if a package cannot be asked.
    """
    own = tuple(_asked(builder, each, request, cut_off) for each in request.own)
    names = {each.name for each in own}
    needs = [each for package in own for each in package.requires if _name(each) not in names]
    wanted = (*request.requires, *(needs if request.dependencies else ()))
    plain = replace(request, own=(), requires=tuple(dict.fromkeys(wanted)))
    lock = locked_with_places(builder, plain, cut_off=cut_off)
    taken = [each.name for each in lock.packages if canonicalize_name(each.name) in names]
    if taken:
        raise BrokenData(
            f"{request.environment} {request.edition} would have {taken[0]} twice: the project's own and an index's.",
            why="something that is required requires it too, or the catalog does",
            next_step=f"Take {taken[0]} from the requirements, or leave it out with overrides = "
            f"[\"{taken[0]} ; python_version < '3'\"].",
        )
    return replace(lock, requires=request.requires, own=own)


def wheel_requires(wheel: Path) -> tuple[str, ...]:
    """What a wheel requires without any extra (PEP 508)."""
    every = map(written, requires_of(wheel))
    return tuple(each for each in every if "extra" not in str(Requirement(each).marker or ""))


def _asked(builder: Builder, package: OwnPackage, request: LockRequest, cut_off: str) -> LockedOwn:
    name = package.name or package.path
    python = python_for(builder, request.python, name)
    if not SpecifierSet(package.python).contains(python.version_text, prereleases=True):
        raise CannotResolve(
            f"The package {name} is not for Python {request.python}.",
            why=f"its requires-python is {package.python}",
            next_step="Name other `pythons` for the environment in the catalog.",
        )

    uv = UvSetup(find_uv(), builder.installer.variables, builder.installer.cache)

    def tools_for(requires: Sequence[str]) -> Lock:
        if not requires:
            return LockRequest(request.environment, request.edition, request.python, ()).lock(cut_off, ())
        asked = LockRequest(request.environment, request.edition, request.python, tuple(dict.fromkeys(requires)))
        asked = replace(asked, indexes=request.indexes, dated=request.dated, platforms=request.platforms)
        return resolve(asked, cut_off=cut_off, uv=uv)

    say(builder, name, "its build is asked what it requires")
    source = request.folder / package.path
    tools = tools_for(package.build_requires)
    with shed_for(builder, name, source, python, tools) as shed:
        for_editable = shed.yard.editable_requires(name, shed.system)
        more = [*shed.yard.also_requires(name, shed.system), *(for_editable or ())]
        backend = shed.system.backend
    if set(map(written, more)) - set(package.build_requires):
        tools = tools_for((*package.build_requires, *map(written, more)))
    found = LockedOwn(
        package.path, package.name, package.requires or (), package.build_requires, tools_in(tools),
        for_editable is not None and backend not in BUILD_ON_IMPORT,
    )  # fmt: skip
    if package.requires is not None and package.name:
        return found
    with shed_for(builder, name, source, python, tools) as shed:
        wheel = shed.yard.made(name, shed.system)
        requires = package.requires if package.requires is not None else wheel_requires(wheel)
        return replace(found, name=str(parse_wheel_filename(wheel.name)[0]), requires=requires)


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
