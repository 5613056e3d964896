"""Read a requirements file of pip's, the files that it names, and its constraints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envguard.adopting.found import (
    FROM_AN_INDEX,
    LONGEST_LINE,
    MOST_REQUIREMENTS,
    Found,
    FoundIndex,
    as_requirement,
    index_name,
    quoted,
    read_text,
    refusal,
    with_name,
    without_credentials,
)

MOST_FILES = 50
_OPTION = re.compile(r"(?P<name>--?[A-Za-z][A-Za-z-]*)(?:\s*=\s*|\s+|$)?(?P<value>.*)")
_SHORT = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-i": "--index-url", "-f": "--find-links"}
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASHES = re.compile(r"\s--(hash|config-settings?|global-option|install-option)[= ].*$")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^\]]*\])?\s*@")
_ARCHIVES = (".whl", ".zip", ".tar.gz")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
# What pip's options mean for envguard. What is not here changes nothing that it does.
_SAID: Mapping[str, str] = {
    "--find-links": "envguard create --find-links FOLDER installs from a folder of wheels",
    "--no-index": "envguard create --find-links FOLDER installs from a folder of wheels",
    "--no-binary": "only wheels are locked",
    "--only-binary": "only wheels are locked, always",
    "--prefer-binary": "only wheels are locked, always",
    "--require-hashes": "locks have the hashes of all files, always",
    "--pre": "a pre-release counts if its requirement names one, such as six>=2.0rc1, or if there is nothing else",
    "--trusted-host": 'connections are always checked; certificates = "FILE" in [index] names authorities to trust',
}


@dataclass
class _Reading:
    """What has been read so far."""

    requirements: list[Requirement] = field(default_factory=list)
    constraints: list[Requirement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    index: str = ""
    others: list[str] = field(default_factory=list)
    files: set[tuple[Path, bool]] = field(default_factory=set)
    hashes: bool = False
    own: bool = False

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def read_requirements(path: Path, *, name: str = "") -> Found:
    """What a requirements file asks for, with all that it includes; raises BadInput for files that cannot be read.

    `name` is that of the package in its folder, if there is one that can be installed.
    """
    reading = _Reading()
    _read(path, reading, constraining=False)
    if reading.hashes:
        reading.note("Hashes were left out: `envguard lock` records those of every wheel.")
    requirements = [*reading.requirements, *_constraining(reading)]
    indexes = tuple(_indexes(reading))
    if reading.own and not name:
        reading.note("-e . was left out: project = true installs a package whose pyproject.toml lies in this folder.")
    return Found(
        tuple(dict.fromkeys(map(str, requirements))),
        tuple(reading.notes),
        name=name if reading.own else "",
        indexes=indexes,
        own=reading.own and bool(name),
    )


def _read(path: Path, reading: _Reading, *, constraining: bool) -> None:
    key = (path.resolve(), constraining)
    if key in reading.files:  # also one that includes itself
        return
    reading.files.add(key)
    if len(reading.files) > MOST_FILES:
        raise refusal(path, f"it includes more than {MOST_FILES} files")
    for line in _lines(read_text(path)):
        if len(line) > LONGEST_LINE:
            raise refusal(path, f"it has a line of more than {LONGEST_LINE:,} characters")
        if line.startswith("-"):
            _option(line, path, reading, constraining)
        else:
            _requirement(line, reading, constraining)
        if len(reading.requirements) + len(reading.constraints) > MOST_REQUIREMENTS:
            raise refusal(path, f"it has more than {MOST_REQUIREMENTS:,} requirements")


def _lines(text: str) -> Iterator[str]:
    """Lines as pip reads them: joined where one ends with a backslash, without comments."""
    begun: list[str] = []
    for line in text.splitlines():
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            begun.append(line[:-1])
            continue
        whole = _COMMENT.sub("", "".join([*begun, "" if comment else line])).strip()
        begun = []
        if whole:
            yield whole
    rest = _COMMENT.sub("", "".join(begun)).strip()
    if rest:
        yield rest


def _option(line: str, path: Path, reading: _Reading, constraining: bool) -> None:
    match = _OPTION.fullmatch(line)
    name = _SHORT.get(match["name"], match["name"]) if match else line
    value = match["value"].strip().strip("'\"") if match else ""
    shown = quoted(without_credentials(value)[0])
    if _VARIABLE.search(value):
        reading.note(f"{name} {shown} was left out: no variable is read here.")
    elif name in ("--requirement", "--constraint") and "://" in value:
        reading.note(f"{name} {shown} was left out: no address is asked for requirements.")
    elif name in ("--requirement", "--constraint"):
        _read(path.parent / value, reading, constraining=constraining or name == "--constraint")
    elif name == "--editable":
        _own(value, f"-e {shown}", reading)
    elif name in ("--index-url", "--pypi-url"):
        reading.index = _plain(value, reading)
    elif name == "--extra-index-url":
        reading.others.append(_plain(value, reading))
    else:
        said = f": {_SAID[name]}" if name in _SAID else ", which envguard does not have"
        reading.note(f"{name}{' ' if value else ''}{shown} was left out{said}.")


def _plain(address: str, reading: _Reading) -> str:
    plain, had = without_credentials(address)
    if had:
        reading.note(f"The user and password of {quoted(plain)} were left out: they belong in variables.")
    return plain


def _requirement(line: str, reading: _Reading, constraining: bool) -> None:
    without = with_name(_HASHES.sub("", line))
    dropped = _HASHES.search(line)
    reading.hashes = reading.hashes or (dropped is not None and "--hash" in dropped[0])
    if _is_path(without):
        _own(without, quoted(without_credentials(without)[0]), reading)
        return
    found = as_requirement(without)
    if isinstance(found, str):
        reading.note(found)
    elif constraining and found.url:
        reading.note(f"The constraint {quoted(str(found))} was left out: name its address in the requirements.")
    else:
        (reading.constraints if constraining else reading.requirements).append(found)


def _own(place: str, shown: str, reading: _Reading) -> None:
    """A folder or a wheel of the project: its folder itself is taken, of others is said how they are."""
    path = place.removeprefix("./").rstrip("/")
    wheel = path.rsplit("/", 1)[-1]
    if path in (".", ""):
        reading.own = True
    elif "://" in place or place.startswith(("/", "..", "~")) or "[" in place:
        reading.note(f"{shown} was left out: {FROM_AN_INDEX}.")
    elif wheel.endswith(".whl"):
        reading.note(f'{shown} was left out: require it as "{wheel.split("-")[0]} @ file:{path}".')
    else:
        reading.note(f'{shown} was left out: project = ["{path}"] installs a package in the project\'s folder.')


def _is_path(text: str) -> bool:
    """Whether pip takes a line for a file, a folder or an address."""
    head = text.split(" ;")[0].strip()
    return not _NAMED.match(head) and ("/" in head or "\\" in head or head.startswith(".") or head.endswith(_ARCHIVES))


def _constraining(reading: _Reading) -> Iterator[Requirement]:
    """Constraints as further requirements of packages that are required anyway; of others, a note."""
    required: dict[str, list[Requirement]] = {}
    for each in reading.requirements:
        required.setdefault(canonicalize_name(each.name), []).append(each)
    unused = []
    for constraint in reading.constraints:
        beside = required.get(canonicalize_name(constraint.name))
        if beside is None:
            unused.append(str(constraint))
            continue
        for each in beside:
            markers = [f"({marker})" for marker in (each.marker, constraint.marker) if marker is not None]
            where = f" ; {' and '.join(markers)}" if markers else ""
            yield Requirement(f"{constraint.name}{constraint.specifier}{where}")
    if unused:
        reading.note(
            f"Constraints of packages that nothing here requires by name were left out: {quoted(', '.join(unused))}. "
            "Where one matters, add it to the requirements."
        )


def _indexes(reading: _Reading) -> Iterator[FoundIndex]:
    if reading.index:
        yield FoundIndex("", reading.index)
    for each in dict.fromkeys(reading.others):
        reading.note(
            f"--extra-index-url {quoted(each)} was left out: an index beside the first serves only packages that it "
            f'names. Add them: [[index]] with name = "{index_name(each, 0)}", url and packages = […].'
        )
