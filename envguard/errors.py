"""Every way envguard can fail: what happened, why, what to do next, and the exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

MISSING_LIBRARY = "missing-library"
"""The gate of checks that find a library of the system missing."""


class EnvguardError(Exception):
    """A failure that a user can act on.

    `what` is one sentence that names what failed, `why` the cause as far as it is known, `next_step` what the user can
    do. All three are shown; none contains a secret or a traceback.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    def as_json(self) -> dict[str, str | int]:
        """The failure for `--json`: `error`, `why`, `next`, `exit_code`."""
        return {
            "error": self.what,
            "why": self.why,
            "next": self.next_step,
            "exit_code": self.exit_code,
        }


class BadInput(EnvguardError):
    """Wrong usage, or an input that is not what it claims to be (exit code 2)."""

    exit_code = 2


class NotAllowed(BadInput):
    """A project wants to run or set something that its user has not allowed (exit code 2).

    `shown` is what a user should read before allowing it, which `allow` records.
    """

    def __init__(self, what: str, *, why: str, next_step: str, shown: str, allow: Callable[[], None]) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.shown = shown
        self.allow = allow


class BrokenData(EnvguardError):
    """A catalog, lock file or proof that does not follow its schema (exit code 2)."""

    exit_code = 2


class StepFailed(EnvguardError):
    """A step ended without a result, so there is no verdict (exit code 1)."""

    exit_code = 1


def unforeseen(error: Exception) -> EnvguardError:
    """A bug in envguard, in the format of every other error."""
    foreseen = StepFailed(
        f"envguard itself failed: {type(error).__name__}: {error}",
        next_step="Run it again as `envguard --debug …` and report what it prints.",
    )
    foreseen.__cause__ = error
    return foreseen


class LostOutput(EnvguardError):
    """What a command printed could not be written (exit code 1, unless the command itself has another)."""

    exit_code = 1

    def __init__(self, why: str) -> None:
        super().__init__(
            "What this command printed could not be written to standard output.",
            why=why,
            next_step="Files that it made are in their places; send its output elsewhere, and run it again.",
        )


class NoEnvironment(EnvguardError):
    """No environment is available on this host; `why` lists each candidate's reason (exit code 3)."""

    exit_code = 3


class MissingPython(NoEnvironment):
    """No environment: no Python fits, and one of the `minor` could be fetched from a `source` (exit code 3)."""

    def __init__(self, what: str, *, why: str, next_step: str, minor: str, source: str) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.minor = minor
        self.source = source


class Interrupted(EnvguardError):
    """The user pressed Ctrl-C (exit code 130)."""

    exit_code = 130


class CheckFailed(EnvguardError):
    """An environment was installed but failed its check (exit code 3); `gate` names the gate that failed.

    `of_the_check` is False where the check could not be run at all, as where its script is missing.
    """

    exit_code = 3

    def __init__(self, what: str, *, why: str, next_step: str, gate: str = "", of_the_check: bool = True) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.gate = gate
        self.of_the_check = of_the_check
