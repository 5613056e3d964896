"""Where a package of a foreign lock is needed: on which platforms and Pythons of a grid, and as a marker."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.markers import Marker, UndefinedEnvironmentName

from envguard.adopting.found import Wanted
from envguard.platform_tags import PLATFORMS, marker_values

Place = tuple[str, str]
"""The name of a platform, and a Python minor."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Every platform with every Python that an environment may be for."""

    pythons: tuple[str, ...]

    @property
    def places(self) -> frozenset[Place]:
        """All of them."""
        return frozenset((name, python) for name in PLATFORMS for python in self.pythons)

    def where(self, marker: Marker | None, wanted: Wanted) -> frozenset[Place]:
        """The places where a marker is true, with the extras and groups that are wanted."""
        return self.places if marker is None else frozenset(filter(_Truth(marker, wanted).holds, self.places))

    def marker(self, places: Collection[Place]) -> str:
        """The marker (PEP 508) that is true at these places and at no others; empty for all of them."""
        by_pythons: dict[tuple[str, ...], list[str]] = {}
        for platform in PLATFORMS:
            pythons = tuple(python for python in self.pythons if (platform, python) in places)
            if pythons:
                by_pythons.setdefault(pythons, []).append(platform)
        return " or ".join(self._parts(by_pythons)) if set(places) != self.places else ""

    def _parts(self, by_pythons: Mapping[tuple[str, ...], Sequence[str]]) -> Iterator[str]:
        for pythons, platforms in by_pythons.items():
            where = list(_of_platforms(platforms))
            when = [f"python_version == '{each}'" for each in pythons] if pythons != self.pythons else []
            both = [f"({' or '.join(each)})" if len(each) > 1 else each[0] for each in (where, when) if each]
            yield f"({' and '.join(both)})" if len(by_pythons) > 1 and len(both) > 1 else " and ".join(both)


@dataclass(frozen=True, slots=True)
class _Truth:
    marker: Marker
    wanted: Wanted

    def holds(self, place: Place) -> bool:
        values = next(marker_values([PLATFORMS[place[0]]], place[1]))
        sets = {"extras": set(self.wanted.extras), "dependency_groups": set(self.wanted.groups)}
        try:
            return self.marker.evaluate({**values, **sets}, context="lock_file")
        except UndefinedEnvironmentName:
            return self.marker.evaluate(dict(values))


def _of_platforms(names: Sequence[str]) -> Iterable[str]:
    """The markers of platforms, those of a whole system in one; none for all platforms."""
    if len(names) == len(PLATFORMS):
        return
    systems: dict[str, list[str]] = {}
    for name in names:
        systems.setdefault(PLATFORMS[name].sys_platform, []).append(name)
    for system, chosen in systems.items():
        if len(chosen) == sum(each.sys_platform == system for each in PLATFORMS.values()):
            yield f"sys_platform == '{system}'"
        else:
            yield from (PLATFORMS[name].marker for name in chosen)
