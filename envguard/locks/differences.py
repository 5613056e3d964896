"""How two locks of the same edition and Python differ, package by package."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.locks.lockfile import Lock, LockedPackage


def differences(old: Lock, new: Lock) -> tuple[str, ...]:
    """One line per package or head field that differs, `old → new`; a different cut-off date does not count."""
    return (*_of_heads(old, new), *_of_packages(_by_name(old), _by_name(new)))


def _of_heads(old: Lock, new: Lock) -> Iterator[str]:
    for what, before, after in (
        ("requires", old.requires, new.requires),
        ("override", old.overrides, new.overrides),
        ("build", old.build, new.build),
        ("npm", tuple(map(str, old.npm)), tuple(map(str, new.npm))),
        ("platform", old.platforms, new.platforms),
    ):
        yield from (f"- {what}: {each}" for each in before if each not in after)
        yield from (f"+ {what}: {each}" for each in after if each not in before)


def _of_packages(old: dict[str, tuple[LockedPackage, ...]], new: dict[str, tuple[LockedPackage, ...]]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, ()), new.get(name, ())
        if before == after:
            continue
        if not before:
            yield f"+ {name} {_versions(after)}"
        elif not after:
            yield f"- {name} {_versions(before)}"
        elif _versions(before) != _versions(after):
            yield f"~ {name} {_versions(before)} → {_versions(after)}"
        else:
            yield f"~ {name} {_versions(after)}: {', '.join(_of_details(before, after))}"


def _of_details(before: tuple[LockedPackage, ...], after: tuple[LockedPackage, ...]) -> Iterator[str]:
    """What differs in a package whose versions are the same."""
    old, new = ({wheel for package in packages for wheel in package.wheels} for packages in (before, after))
    gone, come = ({wheel.filename for wheel in wheels} for wheels in (old - new, new - old))
    for sign, names in (("another file as", gone & come), ("without", gone - come), ("with", come - gone)):
        yield from (f"{sign} {name}" for name in sorted(names))
    builds = [[package.build for package in packages] for packages in (before, after)]
    if builds[0] != builds[1]:
        yield "another sdist, or built with something else"
    if [package.marker for package in before] != [package.marker for package in after]:
        markers = " or ".join(package.marker or "always" for package in after)
        yield f"needed where {markers}"


def _versions(packages: tuple[LockedPackage, ...]) -> str:
    return ", ".join(dict.fromkeys(package.version for package in packages))


def _by_name(lock: Lock) -> dict[str, tuple[LockedPackage, ...]]:
    found: dict[str, tuple[LockedPackage, ...]] = {}
    for package in lock.packages:
        found[package.name] = (*found.get(package.name, ()), package)
    return found
