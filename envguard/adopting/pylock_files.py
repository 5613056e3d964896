"""Read a pylock.toml (PEP 751): its packages become pins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packaging.markers import InvalidMarker
from packaging.pylock import Package, Pylock, PylockValidationError

from envguard.adopting.foreign_locks import ForeignPackage, file_name, pinned
from envguard.adopting.found import (
    FROM_AN_INDEX,
    MOST_REQUIREMENTS,
    NO_WHEEL,
    Found,
    Wanted,
    git_address,
    read_toml,
    refusal,
)
from envguard.adopting.lock_grid import Grid, Place


def read_pylock(path: Path, wanted: Wanted, pythons: Sequence[str]) -> Found:
    """The packages of a pylock.toml that are needed on one of these Pythons; raises BadInput."""
    try:
        lock = Pylock.from_dict(dict(read_toml(path)))
        if len(lock.packages) > MOST_REQUIREMENTS:
            raise refusal(path, f"it has more than {MOST_REQUIREMENTS:,} packages")
        fitting = [each for each in pythons if not lock.requires_python or lock.requires_python.contains(f"{each}.99")]
        grid = Grid(tuple(fitting))
        asked = Wanted(wanted.extras, wanted.groups or tuple(lock.default_groups or ()))
        needed: dict[ForeignPackage, frozenset[Place]] = {}
        for package in lock.packages:
            one = _package(package)
            needed[one] = needed.get(one, frozenset()) | grid.where(package.marker, asked)
    except (PylockValidationError, InvalidMarker, RecursionError) as error:
        raise refusal(path, f"it is not a pylock.toml: {error}") from error
    _refuse_unknown(path, lock, wanted)
    return pinned(path, needed, fitting, "", str(lock.requires_python or ""))


def _refuse_unknown(path: Path, lock: Pylock, wanted: Wanted) -> None:
    for what, asked, known in (
        ("extra", wanted.extras, lock.extras or ()),
        ("dependency group", wanted.groups, lock.dependency_groups or ()),
    ):
        for name in asked:
            if name not in known:
                choice = ", ".join(known) or "none"
                raise refusal(path, f"it has no {what} {name!r}", f"Choose one that it has: {choice}.")


def _package(package: Package) -> ForeignPackage:
    wheels = tuple(each.name or file_name(each.url or each.path or "") for each in package.wheels or ())
    elsewhere, address = "", _address(package)
    if not address and (package.vcs or package.directory or package.archive or package.version is None):
        elsewhere = FROM_AN_INDEX
    elif not address and not wheels:
        elsewhere = NO_WHEEL
    return ForeignPackage(package.name, str(package.version or ""), wheels, package.index or "", elsewhere, address)


def _address(package: Package) -> str:
    """Where a package comes from that no index serves; empty if that is nowhere to ask."""
    git, archive = package.vcs, package.archive
    if git is not None:
        return git_address(git.url, git.commit_id, git.subdirectory or "") if git.type == "git" and git.url else ""
    if archive is None or not archive.url or archive.subdirectory:
        return ""
    sha256 = archive.hashes.get("sha256", "")
    return f"{archive.url}#sha256={sha256}" if sha256 else archive.url
