"""The wheels of requirements that name a place, as files, before anything is resolved: so no resolver asks an address.

What an earlier lock has from an address is taken as it is there, whatever the address has now: a branch that moved, or
a file that was replaced, changes a lock only where it is to be made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from envguard.errors import BrokenData
from envguard.files import file_facts
from envguard.locks.lockfile import GivenWheel, Lock, LockedPackage, LockedWheel, LockRequest
from envguard.locks.resolver import CannotResolve, fits
from envguard.platform_tags import marker_values, platforms_of
from envguard.requirement import Place
from envguard.running.environments.building import Builder
from envguard.running.environments.places.fetching import built_again, fetched_source, fetched_wheel
from envguard.store.built import kept_wheel


def locked_with_places(builder: Builder, request: LockRequest, *, cut_off: str) -> Lock:
    """Lock as the builder does, once what requirements name the place of is there; raises what that raises."""
    given = request.given or tuple(_Finder(builder, request, cut_off).wheels())
    return builder.locked(replace(request, given=given), cut_off=cut_off)


@dataclass(frozen=True, slots=True)
class _Finder:
    builder: Builder
    request: LockRequest
    cut_off: str

    def wheels(self) -> Iterator[GivenWheel]:
        """Those of requirements that count on some platform of the request; raises BrokenData, or as `resolve`."""
        placed = [(each, place) for each, place in self.request.placed if self._counting(each)]
        for (one, _), (other, _) in combinations(placed, 2):
            if canonicalize_name(one.name) == canonicalize_name(other.name):
                self._refuse_both(one, other)
        for requirement, place in placed:
            path, package = self._found(requirement, place)
            if not fits(path.name, self.request):
                raise CannotResolve(
                    f"The wheel {path.name} is for another Python or platform.",
                    why=f"{requirement.name} is required from there for Python {self.request.python}",
                    next_step="Say in its requirement where it counts, such as ; python_version == '3.11'.",
                )
            yield GivenWheel(path, package, str(requirement.marker or "").replace('"', "'"))

    def _counting(self, requirement: Requirement) -> frozenset[int]:
        """The numbers of the surroundings, of those that the lock is for, in which a requirement counts."""
        surroundings = marker_values(platforms_of(self.request.platforms), self.request.python)
        marker = requirement.marker
        return frozenset(number for number, each in enumerate(surroundings) if marker is None or marker.evaluate(each))

    def _refuse_both(self, one: Requirement, other: Requirement) -> None:
        if self._counting(one) & self._counting(other):
            raise BrokenData(
                f"{self.request.environment} {self.request.edition} requires {one.name} from two places at once.",
                why=f"for Python {self.request.python}, both count on the same platform",
                next_step="Give each a marker that excludes the other's, such as ; sys_platform == 'win32'.",
            )

    def _found(self, requirement: Requirement, place: Place) -> tuple[Path, LockedPackage]:
        name = canonicalize_name(requirement.name)
        before = next((each for each in self.request.before if (each.name, each.address) == (name, place.digest)), None)
        match place.kind:
            case "file":
                path = self.request.folder / place.where
                if not path.is_file():
                    raise BrokenData(
                        f"The wheel {place.where} that {self.request.environment} {self.request.edition} requires as "
                        f"{name} is not there.",
                        why=f"it must be a file below {self.request.folder}",
                        next_step="Put it there, or correct the requirement in the catalog.",
                    )
                return path, _package(name, path, file=place.where)
            case "sdist" | "git":
                return self._built(name, place, before)
            case "wheel":
                _release(name, place.filename)
                expected = before.wheels[0].sha256 if before else place.sha256
                path = fetched_wheel(self.builder, place, name, expected)
                return path, _package(name, path, address=place.digest)

    def _built(self, name: str, place: Place, before: LockedPackage | None) -> tuple[Path, LockedPackage]:
        """A wheel of what is source at the place, and how it was built; the one of before if that is known."""
        builder = self.builder
        if before is not None:
            (wheel,) = before.wheels
            kept = kept_wheel(builder.home, wheel.filename, wheel.sha256)
            return kept or built_again(builder, place, before, wheel, self.request.lock(self.cut_off, ())), before
        source = fetched_source(builder, place, name)
        package = LockedPackage(name, "", "", (), build=source.build, address=place.digest, commit=source.commit)
        package, _ = builder.made(package, self.request, self.cut_off)
        (wheel,) = package.wheels
        path = kept_wheel(builder.home, wheel.filename, wheel.sha256)
        assert path is not None
        return path, replace(package, version=_release(name, wheel.filename))


def _package(name: str, wheel: Path, *, file: str = "", address: str = "") -> LockedPackage:
    locked = LockedWheel(wheel.name, file_facts(wheel).sha256)
    return LockedPackage(name, _release(name, wheel.name), "", (locked,), file=file, address=address)


def _release(name: str, filename: str) -> str:
    """The version of a wheel of that package; raises BrokenData for one of another, or for none."""
    try:
        found, version, *_ = parse_wheel_filename(filename)
        if found == name:
            return str(version)
        why = f"it is one of {found}"
    except InvalidWheelFilename as error:
        why = str(error)
    raise BrokenData(f"{filename} is no wheel of {name}.", why=why, next_step="Correct the requirement in the catalog.")
