"""Which Pythons a package is for, and on which side of them this Python is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from envguard.doctor.stories.told import Told, sentence, without_frame

LONGEST_STORY = 60
"""Rows in which pip's list of ignored versions, however it is wrapped, comes to the requirement that it failed for."""
LONGEST_SENTENCE = 6
MOST_IGNORED = 2000
_MINORS = [f"3.{minor}" for minor in range(7, 21)]
"""Pips that list ignored versions run on Python 3.7 and later."""

_IGNORED = re.compile(r"(?P<version>[\w.!+-]{1,60}) Requires-Python (?P<range>[<>=!~][^;]{0,200}?)(?=;| ERROR:|$)")
_WANTED = re.compile(
    r"Could not find a version that satisfies the requirement (?P<name>[\w.-]{1,100})(?P<rest>[^(;]{0,200})"
)
_RANGE = r"(?P<range>[<>=!~]{1,2} ?[23][^'\"]{0,100})"
_RUNNING = tuple(
    re.compile(pattern)
    for pattern in (
        r"the current Python version \((?P<python>[\d.]{1,12})\) does not satisfy Python"
        r"(?P<range>[<>=!~]{1,2}[\d.]{1,12}(?:dev\d+)?(?:,[<>=!~]{1,2}[\d.]{1,12}(?:dev\d+|\*)?){0,9})",
        # One Python of those that uv was to solve for.
        r"for split \(markers: python_full_version == '(?P<python>3\.\d{1,2})\.\*'\).{0,200}?does not satisfy Python"
        r"(?P<range>[<>=!~]{1,2}[\d.]{1,12}(?:,[<>=!~]{1,2}[\d.]{1,12}){0,9})",
        rf"requires a different Python: (?P<python>\d[\d.]{{1,12}}) not in ['\"]{_RANGE}",
        rf"requires Python ['\"]{_RANGE}['\"] but the running Python is (?P<python>\d[\d.]{{1,12}})",
        r"Cannot install on Python version (?P<python>\d[\d.]{1,12}); only versions (?P<range>[<>=][\d.,<>= ]{1,60})",
        r"does not work on Python (?P<python>\d[\d.]{1,12})\.? "
        r"The minimum supported Python version is (?P<least>\d\.\d{1,2})",
    )
)
_PROJECT = re.compile(
    r"the requested Python version \((?P<python>[<>=~!.,\d* ]{2,40})\) does not satisfy "
    r"Python(?P<range>[<>=!~]{1,2}[\d.]{1,12}(?:,[<>=!~]{1,2}[\d.]{1,12}){0,9})"
)


def read(rows: Sequence[str], index: int) -> Told | None:
    """`too_old`, `too_new`, `outside` (one of them), or `project`: its own range begins below the package's."""
    if "that require a different python version" in rows[index]:
        return _ignored(rows, index)
    said = sentence(rows, index, LONGEST_SENTENCE)
    for pattern in _RUNNING:
        found = pattern.search(said)
        if found and found.start() <= len(rows[index]):
            values = found.groupdict()
            wanted = values.get("range") or f">={values['least']}"
            return _side(values["python"], wanted.strip(), index)
    found = _PROJECT.search(said)
    if found and found.start() <= len(rows[index]):
        return Told("project", index, {"range": found["range"], "python": found["python"]})
    return None


def _side(python: str, wanted: str, index: int) -> Told | None:
    ranges = _specifiers([wanted])
    if not ranges or not _valid(python.rstrip(".")):
        return None
    running = Version(python.rstrip("."))
    lower = [
        Version(each.version) for each in ranges[0] if each.operator in (">=", ">", "~=", "==") and _valid(each.version)
    ]
    kind = "too_old" if any(running < each for each in lower) else "too_new"
    return Told(kind, index, {"python": python.rstrip("."), "range": str(ranges[0])})


def _ignored(rows: Sequence[str], index: int) -> Told | None:
    """Of the versions that pip ignored, those that it was asked for, and which Pythons none of them is for.

    pip lists what it ignored of every package that it looked at, so a list without them tells nothing.
    """
    said = sentence(rows, index, LONGEST_STORY)
    wanted = _WANTED.search(said)
    asked = SpecifierSet(_specifier(wanted["rest"])) if wanted else SpecifierSet()
    ignored = list(_versions(said if wanted is None else said[: wanted.start()]))
    ranges = _specifiers(each for version, each in ignored if asked.contains(version, prereleases=True))
    if not ranges:
        return None
    outside = [minor for minor in _MINORS if not any(each.contains(f"{minor}.0", prereleases=True) for each in ranges)]
    first = next((minor for minor in _MINORS if minor not in outside), None)
    below = [minor for minor in outside if first is not None and Version(minor) < Version(first)]
    values = {"range": str(ranges[-1]), "python": "this Python"}
    if first is None:  # for no Python that pip still runs on
        return Told("too_new", index, values)
    if below and len(below) < len(outside):
        return Told("outside", index, values)
    return Told("too_old" if below else "too_new", index, values) if outside else None


def _versions(said: str) -> Iterator[tuple[str, str]]:
    for count, found in enumerate(_IGNORED.finditer(said)):
        if count > MOST_IGNORED:
            return
        if _valid(found["version"]):
            yield found["version"], found["range"]


def _specifiers(texts: Sequence[str] | Iterator[str]) -> list[SpecifierSet]:
    read_ones = []
    for each in dict.fromkeys(texts):
        try:
            read_ones.append(SpecifierSet(each.strip()))
        except InvalidSpecifier:
            continue
    return read_ones


def _specifier(rest: str) -> str:
    """What stands behind a requirement's name, if it is a specifier and not an address or a marker."""
    text = without_frame(re.sub(r"^\[[\w,. -]*\]", "", rest.strip()))
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return ""


def _valid(version: str) -> bool:
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True
