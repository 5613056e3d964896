"""From the packages of a foreign lock to pins: where each is needed, and on which Pythons all of them have wheels."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envguard.adopting.found import Found, FoundIndex, as_requirement, index_name, refusal, without_credentials
from envguard.adopting.lock_grid import Grid, Place
from envguard.platform_tags import PLATFORMS, fits_python


@dataclass(frozen=True, slots=True)
class ForeignPackage:
    """A package of a foreign lock: the file names of its wheels, and the index that serves it, if the lock says so.

    `address` is where it comes from instead of an index, as requirements have it; `elsewhere` says why it is left out.
    """

    name: str
    version: str
    wheels: tuple[str, ...] = ()
    index: str = ""
    elsewhere: str = ""
    address: str = ""

    @property
    def pin(self) -> str:
        """The requirement of this package alone."""
        return f"{self.name} @ {self.address}" if self.address else _called(self, "==")


# The address of PyPI as lock files have it, in SHA-256: envguard itself names no index. A file that names this one asks
# for what is asked anyway, unless a user's settings name a mirror, which must then be kept.
_USUAL = "5a06749b2297be54ac5699f6f2761716adc5001a2d5f8b915ab2172922dd5706"

Needed = Mapping[ForeignPackage, frozenset[Place]]


def pinned(path: Path, needed: Needed, pythons: Sequence[str], project: str, requires_python: str) -> Found:
    """The pins of what is needed, for those of the Pythons on which it all has wheels; raises BadInput for none."""
    notes = [f"{_called(each)} was left out: {each.elsewhere}." for each in needed if each.elsewhere]
    refused = {each: as_requirement(each.pin) for each in needed if each.address}
    notes += [each for each in refused.values() if isinstance(each, str)]
    left = {each for each, found in refused.items() if isinstance(found, str)}
    whole = {each: places for each, places in needed.items() if places and not each.elsewhere and each not in left}
    missing = {python: name for python in pythons for name in _without_wheel(whole, python)}
    fitting = tuple(python for python in pythons if python not in missing)
    if not fitting:
        python, name = next(iter(missing.items()), ("3.X", "a package"))
        raise refusal(path, f"{name} has no wheel for Python {python}", "Only wheels are locked; pin another version.")
    notes += [f"Python {python} was left out: {name} has no wheel for it." for python, name in missing.items()]
    indexes, more = _indexes(whole)
    grid = Grid(fitting)
    pins = []
    for each, places in whole.items():
        here = places & grid.places
        marker = grid.marker(here)
        if here:
            pins.append(f"{each.pin}{' ; ' if marker else ''}{marker}")
    for pin in pins:
        if isinstance(as_requirement(pin), str):
            raise refusal(path, f"{pin!r} is not a pin")
    return Found(
        requirements=tuple(sorted(pins)),
        notes=(*notes, *more),
        name=project,
        requires_python=requires_python,
        pythons=fitting,
        indexes=indexes,
        dependencies=False,
    )


def file_name(address: str) -> str:
    """The last part of an address or path."""
    return unquote(urlsplit(address).path.rsplit("/", 1)[-1])


def _called(package: ForeignPackage, between: str = " ") -> str:
    return f"{package.name}{between}{package.version}" if package.version else package.name


def _without_wheel(needed: Needed, python: str) -> Iterator[str]:
    for each, places in needed.items():
        platforms = [name for name, minor in places if minor == python]
        if (
            platforms
            and (each.wheels or not each.address)
            and not any(_fits(wheel, python, platforms) for wheel in each.wheels)
        ):
            yield _called(each)


def _fits(wheel: str, python: str, platforms: Collection[str]) -> bool:
    try:
        tags = parse_wheel_filename(wheel)[3]
    except InvalidWheelFilename:
        return False
    return any(fits_python(tag, python) and any(PLATFORMS[name].takes(tag) for name in platforms) for tag in tags)


def _indexes(needed: Needed) -> tuple[tuple[FoundIndex, ...], list[str]]:
    """The index that serves most packages, and the others with theirs."""
    counted = Counter(each.index for each in needed if each.index)
    if not counted:
        return (), []
    (first, _), *rest = counted.most_common()
    found = [] if _is_usual(first) else [FoundIndex("", without_credentials(first)[0])]
    names: Counter[str] = Counter()
    for address, _ in rest:
        host = index_name(address, 0)
        packages = tuple(sorted({each.name for each in needed if each.index == address}))
        found.append(FoundIndex(index_name(address, names[host]), without_credentials(address)[0], packages))
        names[host] += 1
    said = "[index] is where the lock's packages come from; variables that name another one go first."
    return tuple(found), [said] if found else []


def _is_usual(address: str) -> bool:
    return hashlib.sha256(address.rstrip("/").encode()).hexdigest() == _USUAL
