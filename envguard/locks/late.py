"""Files that an index dates before a lock's cut-off and the lock does not have: they came late and change nothing.

An index tells when a file was uploaded, not when it began to offer it: a mirror catches up, a date is corrected, a
wheel is added to an old release. A lock records the hash of every file that counted when it was made, so that one more
can be told from those.
"""

from __future__ import annotations

from collections.abc import Iterator

from envguard.locks.lockfile import Lock

Pin = tuple[str, str, str]


def still_holds(old: Lock, kept: Lock) -> bool:
    """Whether a lock is complete: `kept`, resolved again with its pins, has these and every file of them."""
    files = {wheel for package in kept.packages for wheel in package.wheels}
    locked = {wheel for package in old.packages for wheel in package.wheels}
    return _pins(old) == _pins(kept) and locked <= files and old.npm == kept.npm


def late_files(old: Lock, new: Lock) -> tuple[str, ...]:
    """What a free resolution up to the lock's cut-off would take and the lock does not have, a sentence for each."""
    return tuple(_late(old, new))


def _late(old: Lock, new: Lock) -> Iterator[str]:
    locked = {wheel for package in old.packages for wheel in package.wheels}
    versions = {(package.name, package.version) for package in old.packages}
    for package in new.packages:
        late = [wheel.filename for wheel in package.wheels if wheel not in locked]
        if not late:
            continue
        if (package.name, package.version) in versions:
            yield from (
                f"{name} was not there when the lock was made, although the index dates it before" for name in late
            )
        else:
            yield (
                f"{package.name} {package.version} ({late[0]}) was not there, or not chosen, when the lock was made, "
                "although the index dates it before"
            )


def _pins(lock: Lock) -> frozenset[Pin]:
    return frozenset((package.name, package.version, package.marker) for package in lock.packages)
