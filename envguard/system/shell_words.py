"""What to say of a command that does not start, and the exit codes that shells have for it.

Every start of a ready environment imports this module.
"""

from __future__ import annotations

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_CHECK_NAME = "  next: Check its name and its permissions; the environment's programs are beside its `python`.\n"


def not_found(name: str) -> bytes:
    """What to say of a command that is not there."""
    return f"envguard: The command {name!r} is neither in this environment nor on PATH.\n{_CHECK_NAME}".encode()


def not_executable(name: str, error: Exception) -> bytes:
    """What to say of a command that the system does not start."""
    return f"envguard: {name!r} cannot be run.\n  why:  {error}\n{_CHECK_NAME}".encode()
