"""Make a lock anew in which only some packages move, and what must move with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from packaging.utils import canonicalize_name

from envguard.locks.lockfile import Lock, LockedPackage, LockRequest
from envguard.locks.resolver import CannotResolve

Resolve = Callable[[LockRequest], Lock]


def pin_of(package: LockedPackage) -> str:
    """The requirement (PEP 508) that is answered by this version alone."""
    return f"{package.name}=={package.version}" + (f" ; {package.marker}" if package.marker else "")


def upgraded(old: Lock, request: LockRequest, names: Collection[str], resolve: Resolve) -> Lock:
    """A lock with the versions of the named packages that a free resolution has, and what can stay of the old one.

    Where all other pins together have no solution, halves of them are tried, so that few are given up. What keeps its
    version keeps its files. If nothing moves, the old lock itself is returned. Raises what `resolve` raises.
    """
    wanted = _pins(resolve(request), names)
    rest = sorted({canonicalize_name(each.name) for each in old.packages} - set(names))
    new = resolve(replace(request, pins=(*wanted, *_kept(old, replace(request, pins=wanted), rest, resolve))))
    # A requirement may give other files for other platforms in the same version; these are as they are given now.
    locked = {(each.name, each.version): each for each in old.packages if not each.is_given}
    kept = tuple(
        replace(locked.get((each.name, each.version), each), marker=each.marker, index=each.index)
        for each in new.packages
    )
    found = replace(new, packages=kept)
    return old if replace(found, cut_off=old.cut_off) == old else found


def _kept(old: Lock, request: LockRequest, names: Sequence[str], resolve: Resolve) -> tuple[str, ...]:
    """The pins of those packages that can stay together, beside the request's own."""
    kept: list[str] = []
    waiting = [list(names)]
    while waiting:
        some = waiting.pop(0)
        if _has_solution(replace(request, pins=(*request.pins, *_pins(old, [*kept, *some]))), resolve):
            kept += some
        elif len(some) > 1:
            half = len(some) // 2
            waiting[:0] = [some[:half], some[half:]]
    return _pins(old, kept)


def _has_solution(request: LockRequest, resolve: Resolve) -> bool:
    try:
        resolve(request)
    except CannotResolve:
        return False
    return True


def _pins(lock: Lock, names: Collection[str]) -> tuple[str, ...]:
    return tuple(pin_of(each) for each in lock.packages if canonicalize_name(each.name) in names)
