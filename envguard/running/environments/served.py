"""Which of some requirements the user's package index can serve with wheels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.clock import utc_now
from envguard.locks.lockfile import LockRequest
from envguard.locks.resolver import CannotAsk, CannotResolve, resolve
from envguard.running.environments.locking import uv_of_user

# uv's words for a package of which the index has nothing; an index that gives no answer is another error.
NOT_THERE = "was not found in the package registry"


def without_wheels(requirements: Sequence[str], python: str, environ: Mapping[str, str], home: Path) -> tuple[str, ...]:
    """The requirements that no release with a wheel for that Python answers; raises CannotAsk if the index does not.

    Each is asked about alone, whatever it needs: all at once if all of them are there.
    """
    now = utc_now()

    def served(some: Sequence[str]) -> bool:
        request = LockRequest("project", "served", python, tuple(some), dependencies=False)
        try:
            with uv_of_user(environ, home) as uv:
                resolve(request, cut_off=now, uv=uv)
        except CannotResolve:
            return False
        except CannotAsk as error:  # also if the index knows no package of that name
            if NOT_THERE not in error.why:
                raise
            return False
        return True

    return () if served(requirements) else tuple(each for each in requirements if not served([each]))
