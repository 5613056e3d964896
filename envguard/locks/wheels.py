"""Which wheels of a lock fit an interpreter, decided from tags and markers before any download."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel


@dataclass(frozen=True, slots=True)
class MissingWheel:
    """A package that is needed here but has no fitting wheel; `available` are the platform tags it has wheels for."""

    name: str
    version: str
    available: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version} has no wheel for this platform, only for {', '.join(self.available)}"


@dataclass(frozen=True, slots=True)
class PinnedWheel:
    """A package of a lock and the one wheel of it to install."""

    package: LockedPackage
    wheel: LockedWheel


def missing_wheels(lock: Lock, supported: Collection[Tag], markers: Mapping[str, str]) -> tuple[MissingWheel, ...]:
    """The packages that an interpreter needs (by `markers`, PEP 508) and cannot install (by `supported` tags)."""
    missing = []
    for package in needed_packages(lock.packages, markers):
        tags = [parse_wheel_filename(wheel.filename)[3] for wheel in package.wheels]
        if not any(tag in supported for wheel_tags in tags for tag in wheel_tags):
            platforms = {tag.platform for wheel_tags in tags for tag in wheel_tags}
            missing.append(MissingWheel(package.name, package.version, tuple(sorted(platforms))))
    return tuple(missing)


def best_wheels(lock: Lock, supported: Sequence[Tag], markers: Mapping[str, str]) -> tuple[PinnedWheel, ...]:
    """The wheel that an installer would choose for each package; `supported` are the tags, best first.

    Packages without a fitting wheel are left out; `missing_wheels` names them.
    """
    rank = {tag: place for place, tag in reversed(list(enumerate(supported)))}
    chosen = []
    for package in needed_packages(lock.packages, markers):
        fitting = [
            (min(rank[tag] for tag in tags), wheel)
            for wheel in package.wheels
            if (tags := parse_wheel_filename(wheel.filename)[3] & rank.keys())
        ]
        if fitting:
            chosen.append(PinnedWheel(package, min(fitting, key=lambda each: each[0])[1]))
    return tuple(chosen)


def needed_packages(packages: Sequence[LockedPackage], markers: Mapping[str, str]) -> tuple[LockedPackage, ...]:
    """The packages whose marker is true in an environment."""
    return tuple(
        package for package in packages if not package.marker or Marker(package.marker).evaluate(dict(markers))
    )
