"""Which code of a project's own a candidate is made with, as its files are now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from envguard.backends.table import HOST
from envguard.catalog.own_sources import OwnCode, digest_of, settled_in, sources_in
from envguard.errors import BrokenData
from envguard.locks.sdists.own import LockedOwn
from envguard.planning import Candidate
from envguard.running.environments.own.editable import laid_modules


def with_own_code(candidate: Candidate, *, editable: bool) -> Candidate:
    """The candidate with the code that the project's own packages have now, `editable` where that can be.

    In containers nothing is: they do not see the project. Raises BrokenData if files cannot be read.
    """
    locked = candidate.lock.own
    if not locked:
        return candidate
    editable = editable and candidate.backend == HOST
    folder = candidate.environment.folder
    sources = tuple((each.path, _digest(folder / each.path, each, editable=editable)) for each in locked)
    in_place = editable and any(each.editable for each in locked)
    return replace(candidate, own=OwnCode(sources, str(folder) if in_place else ""))


def _files(folder: Path, locked: LockedOwn, *, editable: bool) -> list[Path]:
    """The files that decide what is installed of a package; raises ValueError or OSError."""
    return settled_in(folder) if editable and locked.editable else sources_in(folder)


def has_editable(candidate: Candidate) -> bool:
    """Whether something of the project's own can be read where it lies."""
    return any(each.editable for each in candidate.lock.own)


def all_in_place(candidate: Candidate) -> bool:
    """Whether all code of the project's own, if there is any, is read where it lies."""
    return all(each.editable and candidate.own.editable for each in candidate.lock.own)


def watched_by(candidate: Candidate, site_packages: Path) -> tuple[Path, ...]:
    """The files that decide whether an environment whose code is all in place is still right."""
    folder, own = candidate.environment.folder, candidate.lock.own
    return (
        *(file for each in own for file in settled_in(folder / each.path)),
        *(place for _, place in laid_modules(site_packages, folder, own)),
    )


def _digest(folder: Path, locked: LockedOwn, *, editable: bool) -> str:
    try:
        return digest_of(folder, _files(folder, locked, editable=editable))
    except (OSError, ValueError) as error:
        raise BrokenData(
            f"The package in {folder} cannot be read.", why=str(error), next_step="Check its files and their rights."
        ) from error
