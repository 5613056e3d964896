"""What may be asked of a resolver: requirements by name (PEP 508), read by `packaging` and written out again by us.

uv and pip also read options, addresses, files and variables in a file of requirements. None of them gets there: what
`packaging` does not read as a name with extras, versions and a marker is refused, and what it reads is written anew.
A requirement of a catalog may name a place besides: a wheel in the project, an archive at an address, a commit of Git.
What is there is fetched by envguard, and no resolver is told where it was. A lock names a place by the hash of its
address only.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import Literal
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement

# What a requirement without an address is made of. Not among it: `$` and `{`, which uv and pip expand as variables,
# `#` and `\\`, which begin a comment and go on in the next line, and `@`, `/` and `:`, which addresses need.
WRITTEN = re.compile(r"[A-Za-z0-9 ._,;<>=!~()\[\]'\"*+-]+")
LONGEST = 1000
# Below a folder, by names none of which is hidden or leads out of it.
_INSIDE = r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*/)*[A-Za-z0-9_][A-Za-z0-9_.!+-]*"
LOCAL = re.compile(rf"file:({_INSIDE}\.whl)")
RECORDED = re.compile(r"address:([0-9a-f]{64})")
"""How a lock names an address: by its hash."""
_HERE = r"(?:localhost|127\.0\.0\.1)(?::[0-9]{1,5})?"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_WEB = rf"(?:https://{_HOST}|http://{_HERE})"  # what comes unencrypted may only come from this machine
_PATH = r"(?:/[A-Za-z0-9._~+%!=,-]+)+"
_ARCHIVE = re.compile(rf"(?P<url>{_WEB}{_PATH}\.(?:whl|tar\.gz|zip))(?:#sha256=(?P<sha256>[0-9a-f]{{64}}))?")
_GIT = re.compile(
    rf"git\+(?P<url>(?:{_WEB}|ssh://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?{_HOST}){_PATH}/?)"
    rf"(?:@(?P<ref>[A-Za-z0-9_][A-Za-z0-9_.+/-]*))?(?:#subdirectory=(?P<subdirectory>{_INSIDE}))?"
)
_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.!+-]*")
_USER = re.compile(r"(?<=//)[^/\s]*@")
_PLACE = re.compile(r"(?:-e|--editable)[ =]\s*(?P<editable>\S.*)|(?P<place>[./]\S*|[a-z+]+://\S+|git\+\S+)")


@dataclass(frozen=True, slots=True)
class OwnPackage:
    """A package of the project's own, in the folder `path` below the project's, and what its pyproject.toml says.

    `requires` and `build_requires` are requirements (PEP 508). What only its build backend knows is None, or an empty
    `name`. `python` are the Pythons that it is for (PEP 440).
    """

    path: str
    name: str
    requires: tuple[str, ...] | None
    build_requires: tuple[str, ...]
    python: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a requirement says that its package is, if no index has it.

    `where` is the path of a file from the project's folder, or an address that a downloader or Git understands. Of an
    archive, the address may tell the `sha256`; of Git, the branch, tag or commit is the `ref`, which is empty for what
    the repository shows first, and `subdirectory` is where the project lies in it. `digest` is what a lock has of it.
    """

    kind: Literal["file", "wheel", "sdist", "git"]
    where: str
    digest: str = ""
    sha256: str = ""
    ref: str = ""
    subdirectory: str = ""

    @property
    def filename(self) -> str:
        """What the file is called."""
        return unquote(self.where.rsplit("/", 1)[-1])


def parsed(text: str, *, local: bool = False, locked: bool = False) -> Requirement:
    """A requirement; raises ValueError that says what it must be.

    It may name a place with `local`, as in a catalog, and with `locked`, as in a lock.
    """
    try:
        if len(text) > LONGEST:
            raise InvalidRequirement("it is too long")
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        place = _PLACE.fullmatch(text.strip())
        if place is not None and len(text) <= LONGEST:
            raise ValueError(_not_of_an_index(text, place["editable"] or place["place"])) from error
        raise ValueError(f"has {_shown(text)}, which is not a requirement such as 'six>=1.16'") from error
    plain = text
    if requirement.url is not None:
        _refuse_other_place(text, requirement.url, local=local, locked=locked)
        plain = text.replace(requirement.url, "", 1).replace("@", "", 1)
    if not WRITTEN.fullmatch(plain):
        raise ValueError(f"has {_shown(text)}, which contains a character that no requirement needs")
    return requirement


def place_of(requirement: Requirement) -> Place | None:
    """The place that a requirement names; None if it names none, or one where no package can be."""
    url = requirement.url or ""
    digest = hashlib.sha256(url.encode()).hexdigest()
    local, archive, git = LOCAL.fullmatch(url), _ARCHIVE.fullmatch(url), _GIT.fullmatch(url)
    if local:
        return Place("file", local[1])
    if archive:
        found = Place("wheel", archive["url"], digest, archive["sha256"] or "")
        if not _FILENAME.fullmatch(found.filename):
            return None
        return found if found.filename.endswith(".whl") else Place("sdist", found.where, digest, found.sha256)
    if git:
        return Place("git", git["url"], digest, "", git["ref"] or "", git["subdirectory"] or "")
    return None


def recorded(text: str) -> str:
    """A requirement as a lock has it: without an address, of which there is the hash."""
    requirement = parsed(text, local=True, locked=True)
    place = place_of(requirement)
    if place is None or not place.digest or not requirement.url:
        return text
    return text.replace(requirement.url, f"address:{place.digest}", 1)


def by_name(text: str) -> str:
    """A requirement without the place that it may name, as a resolver is given it."""
    requirement = parsed(text, local=True, locked=True)
    requirement.url = None
    return str(requirement)


def _refuse_other_place(text: str, url: str, *, local: bool, locked: bool) -> None:
    if _USER.search(url) and not url.startswith("git+ssh://"):
        raise ValueError(
            f"has {_shown(text)}, with a user or a password in its address; leave them out there: ~/.netrc has them "
            "for addresses and for Git, and Git's own settings do"
        )
    place = place_of(Requirement(text))
    if local and place is not None:
        return
    if locked and (RECORDED.fullmatch(url) or LOCAL.fullmatch(url)):
        return
    raise ValueError(_not_of_an_index(text, _without_user(text)))


def _not_of_an_index(text: str, place: str) -> str:
    if place.startswith(".") and not place.startswith(".."):
        own = "true" if place.rstrip("/") == "." else f'"{place.removeprefix("./").rstrip("/")}"'
        return (
            f"has {text[:80]!r}, which is not a package of an index; a package in the project's folder is installed by "
            f"project = {own} in its environment"
        )
    return (
        f"has {_shown(text)}, which is neither a package of an index nor a place to take one from; such a place is "
        "'NAME @ https://HOST/FILE.whl' or a .tar.gz or .zip there, 'NAME @ git+https://HOST/REPOSITORY@REF', or a "
        "wheel of the project, which is made with "
        "`python -m pip wheel --no-deps --wheel-dir wheels "
        f"{shlex.quote(_without_user(place))}` and named 'NAME @ file:wheels/FILE.whl'"
    )


def _shown(text: str) -> str:
    return repr(_without_user(text)[:80])


def _without_user(text: str) -> str:
    """A text without what stands before the host in an address."""
    return _USER.sub("****@", text)


def written(text: str) -> str:
    """A requirement as a resolver is given it: read, and written out again."""
    return str(parsed(text))


# What nearly all pins are like. It is known to be right, and packaging takes ten times as long to say so.
_PLAIN_PIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*==[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?")


def is_plain_pin(pin: str, marker: str) -> bool:
    """Whether a pin, and the marker that it may have, need no parser; one that does may still be right."""
    return _PLAIN_PIN.fullmatch(pin) is not None and (not marker or _is_marker(marker))


@cache
def _is_marker(marker: str) -> bool:
    """Whether a requirement may have it; the packages of a lock share few."""
    try:
        return parsed(f"name ; {marker}").marker is not None
    except ValueError:
        return False
