"""What may be asked of a resolver: requirements by name (PEP 508), read by `packaging` and written out again by us.

uv and pip also read options, addresses, files and variables in a file of requirements. None of them gets there: what
`packaging` does not read as a name with extras, versions and a marker is refused, and what it reads is written anew.
"""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement

# What a requirement without an address is made of. Not among it: `$` and `{`, which uv and pip expand as variables,
# `#` and `\\`, which begin a comment and go on in the next line, and `@`, `/` and `:`, which addresses need.
WRITTEN = re.compile(r"[A-Za-z0-9 ._,;<>=!~()\[\]'\"*+-]+")
LONGEST = 1000


def parsed(text: str) -> Requirement:
    """A requirement; raises ValueError that says what it must be."""
    try:
        if len(text) > LONGEST:
            raise InvalidRequirement("it is too long")
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        raise ValueError(f"has {text[:80]!r}, which is not a requirement such as 'six>=1.16'") from error
    if requirement.url is not None:
        raise ValueError(f"has {text[:80]!r}, which names an address; only packages of an index can be locked")
    if not WRITTEN.fullmatch(text):
        raise ValueError(f"has {text[:80]!r}, which contains a character that no requirement needs")
    return requirement


def written(text: str) -> str:
    """A requirement as a resolver is given it: read, and written out again."""
    return str(parsed(text))
