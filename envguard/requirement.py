"""What may be asked of a resolver: requirements by name (PEP 508), read by `packaging` and written out again by us.

uv and pip also read options, addresses, files and variables in a file of requirements. None of them gets there: what
`packaging` does not read as a name with extras, versions and a marker is refused, and what it reads is written anew.
The one address that a requirement may have is that of a wheel in the project itself.
"""

from __future__ import annotations

import re
import shlex

from packaging.requirements import InvalidRequirement, Requirement

# What a requirement without an address is made of. Not among it: `$` and `{`, which uv and pip expand as variables,
# `#` and `\\`, which begin a comment and go on in the next line, and `@`, `/` and `:`, which addresses need.
WRITTEN = re.compile(r"[A-Za-z0-9 ._,;<>=!~()\[\]'\"*+-]+")
LONGEST = 1000
# A wheel below the project's folder, by names none of which is hidden or leads out of it.
LOCAL = re.compile(r"file:((?:[A-Za-z0-9_][A-Za-z0-9_.+-]*/)*[A-Za-z0-9_][A-Za-z0-9_.!+-]*\.whl)")
_PLACE = re.compile(r"(?:-e|--editable)[ =]\s*(?P<editable>\S.*)|(?P<place>[./]\S*|[a-z+]+://\S+|git\+\S+)")


def parsed(text: str, *, local: bool = False) -> Requirement:
    """A requirement; raises ValueError that says what it must be. With `local`, it may name a wheel of the project."""
    try:
        if len(text) > LONGEST:
            raise InvalidRequirement("it is too long")
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        place = _PLACE.fullmatch(text.strip())
        if place is not None and len(text) <= LONGEST:
            raise ValueError(_not_of_an_index(text, place["editable"] or place["place"])) from error
        raise ValueError(f"has {text[:80]!r}, which is not a requirement such as 'six>=1.16'") from error
    plain = text
    if requirement.url is not None:
        if not local or not local_wheel(requirement):
            raise ValueError(_not_of_an_index(text, text))
        plain = text.replace(requirement.url, "", 1).replace("@", "", 1)
    if not WRITTEN.fullmatch(plain):
        raise ValueError(f"has {text[:80]!r}, which contains a character that no requirement needs")
    return requirement


def local_wheel(requirement: Requirement) -> str:
    """The path of the wheel that a requirement names, from the project's folder; empty if it names none."""
    match = LOCAL.fullmatch(requirement.url or "")
    return match[1] if match else ""


def by_name(text: str) -> str:
    """A requirement without the wheel that it may name, as a resolver is given it."""
    requirement = parsed(text, local=True)
    requirement.url = None
    return str(requirement)


def _not_of_an_index(text: str, place: str) -> str:
    return (
        f"has {text[:80]!r}, which is not a package of an index; put its wheel into the project with "
        f"`python -m pip wheel --no-deps --wheel-dir wheels {shlex.quote(place)}`, and name that: "
        "'NAME @ file:wheels/FILE.whl'"
    )


def written(text: str) -> str:
    """A requirement as a resolver is given it: read, and written out again."""
    return str(parsed(text))
