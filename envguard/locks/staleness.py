"""Whether a lock is what the catalog asks for today: one made for another request is stale, and is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.utils import canonicalize_name

from envguard.errors import NoEnvironment
from envguard.locks.lockfile import Lock, LockRequest
from envguard.locks.sdists.own import own_difference
from envguard.requirement import recorded


class StaleLock(NoEnvironment):
    """A lock was made for another request than the catalog's (exit code 3); nothing is built or run from it."""

    def __init__(self, request: LockRequest, difference: str, *, frozen: bool = True) -> None:
        around = ", or use the lock as it is with --frozen" if frozen else ""
        super().__init__(
            f"The lock of {request.environment} {request.edition} for Python {request.python} is stale: {difference}.",
            next_step=f"Make it again with `envguard lock {request.environment}`{around}.",
        )


def difference(lock: Lock, request: LockRequest) -> str:
    """How what a lock was made for differs from what is asked for, in words; empty if it does not."""
    for what, locked, wanted in (
        ("environment", lock.environment, request.environment),
        ("edition", lock.edition, request.edition),
        ("Python", lock.python, request.python),
    ):
        if locked != wanted:
            return f"it was made for the {what} {locked}, not {wanted}"
    for what, before, after in (
        ("requirement", lock.requires, tuple(map(recorded, request.requires))),
        ("override", lock.overrides, request.overrides),
        ("package to build", lock.build, request.build),
        ("npm package", tuple(map(str, lock.npm)), tuple(map(str, request.npm))),
        ("platform", lock.platforms, request.platforms),
    ):
        if before != after:
            written = {recorded(each): each for each in request.requires}
            return _of_lists(what, before, after, written)
    for package in lock.packages:
        wanted = dict(request.indexes).get(canonicalize_name(package.name), "")
        if package.index != wanted:
            return f"{package.name} is to come from {_index(wanted)}, and was locked from {_index(package.index)}"
    if lock.dependencies != request.dependencies:
        return f"it was made {'with' if lock.dependencies else 'without'} dependencies"
    return own_difference(lock.own, request.own)


def _index(name: str) -> str:
    return f"the index {name!r}" if name else "the index of all other packages"


def _of_lists(what: str, before: Sequence[str], after: Sequence[str], written: Mapping[str, str]) -> str:
    """How the lists differ; what the catalog has is shown as it is `written` there."""
    new = [written.get(each, each) for each in after if each not in before]
    old = [each for each in before if each not in after]
    if new and old:
        return f"the catalog has the {what} {new[0]!r}, the lock {old[0]!r}"
    if new:
        return f"the catalog has the {what} {new[0]!r}, which the lock lacks"
    if old:
        return f"the lock has the {what} {old[0]!r}, which the catalog lacks"
    return f"the catalog has its {what}s in another order or number"
