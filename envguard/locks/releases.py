"""Ask the package index for the newest release of a package; uv asks, so mirrors, credentials and proxies are its own.

What is yanked is never the answer, and neither is a pre-release unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import Version

from envguard.locks.lockfile import LockRequest
from envguard.locks.resolver import CannotAsk, CannotResolve, resolve
from envguard.locks.uv import UvSetup


@dataclass(frozen=True, slots=True)
class ReleaseQuery:
    """A package, the version that a release must be newer than, those that are known, and the Pythons it is for.

    `within` (PEP 440) are the versions that count, if not all do.
    """

    package: str
    above: Version
    known: Sequence[Version]
    pythons: Sequence[str]
    prereleases: bool = False
    within: str = ""


def newest_release(query: ReleaseQuery, *, cut_off: str, uv: UvSetup) -> Version | None:
    """The newest release with wheels for at least one of the Pythons; None if there is none.

    Raises CannotAsk if the package index gives no usable answer.
    """
    # `>1.0` would leave out 1.0.post1.
    others = ",".join(f"!={version}" for version in dict.fromkeys((query.above, *query.known)))
    wanted = ",".join(filter(None, (f"{query.package}>={query.above}", others, query.within)))
    found: list[Version] = []
    for python in query.pythons:
        request = LockRequest(
            query.package, "releases", python, (wanted,), dependencies=False,
            prereleases="allow" if query.prereleases else "disallow",
        )  # fmt: skip
        try:
            lock = resolve(request, cut_off=cut_off, uv=uv)
        except CannotResolve:
            continue
        except CannotAsk as error:
            raise CannotAsk(
                f"The package index could not be asked for newer releases of {query.package}.",
                why=error.why,
                next_step=error.next_step,
            ) from error
        found += [Version(package.version) for package in lock.packages]
    return max(found, default=None)
