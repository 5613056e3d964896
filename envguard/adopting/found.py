"""What a file says of the packages that a project needs, and how such files are read: as data, and within limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from envguard.errors import BadInput
from envguard.requirement import parsed
from envguard.toml import parse_toml

LARGEST_FILE = 5_000_000
MOST_REQUIREMENTS = 5_000
LONGEST_LINE = 10_000
_ADDRESS = re.compile(r"(?:https?|git\+[a-z]+)://")
SHOWN = 100  # characters of what is quoted


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """A package index that the file names: its address without credentials, and what it alone serves.

    Without packages, it serves whatever no other one does.
    """

    name: str
    url: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a file asks for.

    `requirements` and `overrides` are as envguard writes them (PEP 508). `name` is what the file calls its project, or
    empty. `requires_python` are specifiers (PEP 440), or empty; `pythons` are the minors that alone can be meant, if
    the file tells that too. With `dependencies` off, the requirements are all that is to be installed. `perhaps` are
    requirements that count only if the package index has wheels of them. With `own`, the project is a package that is
    installed too, with what it depends on. `notes` say what was left out or written
    another way, a sentence each.
    """

    requirements: tuple[str, ...]
    notes: tuple[str, ...] = ()
    name: str = ""
    requires_python: str = ""
    pythons: tuple[str, ...] | None = None
    overrides: tuple[str, ...] = ()
    indexes: tuple[FoundIndex, ...] = ()
    dependencies: bool = True
    perhaps: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which optional parts of a project are wanted: extras, dependency groups (PEP 735), and its own package."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    own: bool = False


def read_text(path: Path) -> str:
    """The text of a file; raises BadInput for what is no file, too large, or not UTF-8."""
    try:
        if not path.is_file():
            raise ValueError("there is no such file" if not path.exists() else "it is not a file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE:,} bytes")
        return raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadInput(f"The file {path} cannot be read.", why=str(error), next_step="Name another file.") from error


def read_toml(path: Path) -> Mapping[str, object]:
    """The document in a TOML file; raises BadInput."""
    try:
        return parse_toml(read_text(path))
    except ValueError as error:
        raise refusal(path, f"it is not TOML: {error}") from error


def refusal(path: Path, why: str, next_step: str = "Correct the file, or name another one.") -> BadInput:
    """The error for a file from which no project can be made."""
    return BadInput(f"No project can be made from {path}.", why=why, next_step=next_step)


def quoted(text: str) -> str:
    """A text of a file as notes show it: on one line, printable, short."""
    plain = "".join(each if each.isprintable() else "?" for each in text)
    return plain if len(plain) <= SHOWN else plain[:SHOWN] + "…"


def as_requirement(text: str) -> Requirement | str:
    """A requirement by name or with an address that envguard takes, or the note that says why it was left out."""
    if len(text) > LONGEST_LINE:
        return f"{quoted(text)} was left out: it is longer than {LONGEST_LINE:,} characters."
    try:
        return parsed(" ".join(text.split()))
    except ValueError:
        pass
    try:
        direct = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return f"{quoted(text)} was left out: it is not a requirement by name and version."
    if direct.url is None:
        return f"{quoted(text)} was left out: it has a character that no requirement needs."
    direct.url = _without_egg(direct.url)
    try:
        return parsed(str(direct), local=not direct.url.startswith("file:"))
    except ValueError:
        plain, had = without_credentials(direct.url)
    why = "its user or password belongs in ~/.netrc, and the requirement without them in envguard.toml"
    return f"{direct.name} from {quoted(plain)} was left out: {why if had else FROM_AN_INDEX}."


def _without_egg(address: str) -> str:
    """An address without the name of the package, which pip reads in its fragment."""
    before, _, fragment = address.partition("#")
    kept = "&".join(each for each in fragment.split("&") if each and not each.startswith("egg="))
    return f"{before}#{kept}" if kept else before


def with_name(text: str) -> str:
    """A line that is an address alone, as a requirement, if it tells the name of the package; else as it is."""
    address, space, rest = text.partition(" ")
    if not _ADDRESS.match(address):
        return text
    path, _, fragment = address.partition("#")
    egg = next((each.removeprefix("egg=") for each in fragment.split("&") if each.startswith("egg=")), "")
    file = unquote(path.rsplit("/", 1)[-1])
    with suppress(InvalidWheelFilename, InvalidSdistFilename):
        egg = egg or (parse_wheel_filename(file)[0] if file.endswith(".whl") else parse_sdist_filename(file)[0])
    return f"{egg} @ {address}{space}{rest}" if egg else text


NO_WHEEL = "it has no wheel; to have it built, add it to the requirements and to build = […]"
FROM_AN_INDEX = "it comes from no package index, and from no address that is taken"


def address_in(source: Mapping[str, object]) -> str:
    """The address that a table of [tool.uv.sources] names, as requirements have it; empty if it names none."""
    url, git, inner = (source.get(key) for key in ("url", "git", "subdirectory"))
    ref = next((source[key] for key in ("rev", "tag", "branch") if source.get(key)), "")
    if isinstance(git, str):
        return git_address(git, str(ref), str(inner or ""))
    return url if isinstance(url, str) and not inner else ""


def git_address(repository: str, ref: str, subdirectory: str = "") -> str:
    """The address of a commit, branch or tag, as requirements have it."""
    at, inner = f"@{ref}" if ref else "", f"#subdirectory={subdirectory}" if subdirectory else ""
    return f"git+{repository.removeprefix('git+')}{at}{inner}"


def without_credentials(address: str) -> tuple[str, bool]:
    """An address without user and password, and whether it had any."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address, False
    host = parts.netloc.rpartition("@")[2]
    if host == parts.netloc:
        return address, False
    return urlunsplit(parts._replace(netloc=host)), True


def index_name(address: str, taken: int) -> str:
    """A name for an index, made from its host; `taken` are how many have one already."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    name = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-") or "index"
    return f"{name}-{taken + 1}" if taken else name
