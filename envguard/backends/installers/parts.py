"""A job in parts: what comes from one index at a time, or one package at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from envguard.backends.installers.settings import Job
from envguard.locks.lockfile import Lock
from envguard.locks.named_indexes import by_index


@contextlib.contextmanager
def parts_of(job: Job) -> Iterator[tuple[Job, ...]]:
    """The jobs that together install what the job does; where there are several, none of them compiles.

    No index is asked for what another one serves, or none; folders of wheels hold everything else. Packages that may
    overlap come one by one, in the order of their names: then it is always the last one's file that is kept.
    """
    installer = job.installer
    folders = installer.find_links
    own, others = _of(job.lock, own=True), _of(job.lock, own=False)
    own = replace(own, packages=(*own.packages, *installer.own_packages))
    sources = [
        (part, replace(installer, variables=asking))
        for part, asking in ([(others, installer.variables)] if folders else by_index(others, installer.variables))
    ]
    if own.packages:
        # An index may have other files of the same name and version, which pip would take for the ones that are meant.
        sources.append((own, replace(installer, find_links=tuple(wheel.parent for wheel in installer.own))))
    jobs = [
        replace(job, lock=part, installer=asking)
        for lock, asking in sources
        for part in (_single(lock) if installer.one_by_one else [lock])
        if part.packages or len(sources) == 1
    ]
    if installer.one_by_one:
        jobs.sort(key=_package)
    if len(jobs) == 1:
        yield tuple(jobs)
        return
    file = "part.txt"
    try:
        yield tuple(replace(each, file=file, compiles=False) for each in jobs)
    finally:
        (job.folder / file).unlink(missing_ok=True)


def _of(lock: Lock, *, own: bool) -> Lock:
    return replace(lock, packages=tuple(package for package in lock.packages if package.is_own == own))


def _single(lock: Lock) -> list[Lock]:
    return [replace(lock, packages=(package,)) for package in lock.packages]


def _package(job: Job) -> str:
    (package,) = job.lock.packages
    return package.name
