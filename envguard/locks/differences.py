"""How two locks of the same edition and Python differ, package by package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from envguard.locks.lockfile import Lock, LockedPackage

Kind = Literal["added", "removed", "changed", "files"]
SIGNS: dict[Kind, str] = {"added": "+", "removed": "-", "changed": "~", "files": "~"}


@dataclass(frozen=True, slots=True)
class Difference:
    """What is another in a lock: of a package, or of a field of its head, which is `what`.

    `before` and `after` are versions, or the field's line; `details` say what is another in the same version.
    """

    kind: Kind
    what: str
    before: str = ""
    after: str = ""
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{SIGNS[self.kind]} {self.what} {self.change}"

    @property
    def change(self) -> str:
        """The versions, or what is another: `1.0 → 2.0`."""
        if self.kind == "files":
            return f"{self.after}: {', '.join(self.details)}"
        return " → ".join(filter(None, (self.before, self.after)))

    def as_json(self) -> dict[str, object]:
        """The difference for `--json`."""
        return asdict(self)


def differences(old: Lock, new: Lock) -> tuple[str, ...]:
    """One line per package or head field that differs, `old → new`; a different cut-off date does not count."""
    return tuple(map(str, lock_differences(old, new)))


def lock_differences(old: Lock, new: Lock) -> tuple[Difference, ...]:
    """The same, as values."""
    return (*_of_heads(old, new), *_of_packages(_by_name(old), _by_name(new)))


def _of_heads(old: Lock, new: Lock) -> Iterator[Difference]:
    for what, before, after in (
        ("requires", old.requires, new.requires),
        ("override", old.overrides, new.overrides),
        ("build", old.build, new.build),
        ("npm", tuple(map(str, old.npm)), tuple(map(str, new.npm))),
        ("platform", old.platforms, new.platforms),
    ):
        yield from (Difference("removed", f"{what}:", before=each) for each in before if each not in after)
        yield from (Difference("added", f"{what}:", after=each) for each in after if each not in before)


def _of_packages(
    old: dict[str, tuple[LockedPackage, ...]], new: dict[str, tuple[LockedPackage, ...]]
) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, ()), new.get(name, ())
        if before == after:
            continue
        versions = _versions(before), _versions(after)
        if not before:
            yield Difference("added", name, *versions)
        elif not after:
            yield Difference("removed", name, *versions)
        elif versions[0] != versions[1]:
            yield Difference("changed", name, *versions)
        else:
            yield Difference("files", name, *versions, tuple(_of_details(before, after)))


def _of_details(before: tuple[LockedPackage, ...], after: tuple[LockedPackage, ...]) -> Iterator[str]:
    """What differs in a package whose versions are the same."""
    old, new = ({wheel for package in packages for wheel in package.wheels} for packages in (before, after))
    gone, come = ({wheel.filename for wheel in wheels} for wheels in (old - new, new - old))
    for sign, names in (("another file as", gone & come), ("without", gone - come), ("with", come - gone)):
        yield from (f"{sign} {name}" for name in sorted(names))
    commits = [", ".join(filter(None, (each.commit for each in packages))) for packages in (before, after)]
    if commits[0] != commits[1]:
        yield f"commit {' → '.join(filter(None, commits))}"
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
