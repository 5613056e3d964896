"""The variables that a step may be given, and where `${NAME}` stands for one."""

from __future__ import annotations

import re

from envguard.system.leaking import LEAKS, reason

# Excludes those that would lead Python, the linker or the search for programs out of the environment.
VARIABLE = re.compile(
    r"(?!(PATH|HOME|VIRTUAL_ENV|PYTHON(PATH|HOME|USERBASE|NOUSERSITE|STARTUP|PLATLIBDIR)|LD_.*|DYLD_.*)$)"
    r"[A-Za-z_][A-Za-z0-9_]*"
)
USED = re.compile(r"\$(?P<plain>\$)?\{(?P<variable>[A-Za-z_][A-Za-z0-9_]*)\}")
"""`${NAME}`, which stands for a variable; or `$${NAME}`, which stands for the text `${NAME}`."""


def passable(value: object) -> str:
    """The name of a variable that may be let through to a step; raises ValueError for one that must not."""
    if not isinstance(value, str) or not VARIABLE.fullmatch(value):
        raise ValueError("must be a variable that a step may be given")
    why = reason(value, LEAKS)
    if why:
        raise ValueError(f"must not have {value}, which {why}")
    return value
