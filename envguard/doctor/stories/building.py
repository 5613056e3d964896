"""Why a package could not be built: the first real error of its build, not the last line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envguard.doctor.stories.told import Told, without_frame

BEFORE = 150
AFTER = 60
"""Rows around a line that says only that a build failed: pip tells the reason before it, uv after it."""
LONGEST_ERROR = 160

_BUILDS = re.compile(
    r"get_requires_for_build|build_meta|build_wheel|prepare_metadata_for_build|pip-build-env|pip-setuptools-caller"
    r"|Getting requirements to build|setup\.py egg_info|Preparing metadata|Failed to build|builds-v0"
)
_UNDECLARED = re.compile(
    r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<module>[\w.]{1,100})"
    r"|depends on `(?P<named>[\w.-]{1,100})`, but doesn't declare it"
    r"|invalid command '(?P<command>bdist_wheel)'"
)
_NOT_YET = re.compile(
    r"^(?:error: (?:subprocess-exited|metadata-generation|command |Failed to)"
    r"|ERROR: (?:Failed|Command|Could not build))"
)
_FIRST = re.compile(
    r"^(?:\S{1,200}:\d+:\d+: )?(?:fatal )?error:? \S|^\S{1,200}:\d+(?::\d+)?: (?:fatal )?error: |^error\[E\d+\]"
    r"|^CMake Error|^configure: error: |^LINK : fatal|: fatal error C?\w*\d* ?: |^collect2: error|^ld: library"
    r"|^(?!ModuleNotFoundError: No module named '_)(?:\w{1,60}\.){0,6}\w{0,60}(?:Error|Exception|Failed): \S"
    r"|^meson\.build:\d+:\d+: ERROR"
)


def read(rows: Sequence[str], index: int) -> Told | None:
    """`undeclared`: it needs a module to be built that it does not declare; or `failed`, with the first real error."""
    found = _UNDECLARED.search(_joined(rows, index))
    if found and found.start() <= len(rows[index]):
        if not found["module"] or any(_BUILDS.search(row) for row in rows[max(0, index - AFTER) : index + 20]):
            module = found["module"] or found["named"] or "wheel"
            return Told("undeclared", index, {"module": module.partition(".")[0]})
        return None
    first = next(_errors(rows, index), None)
    if first is None:
        return Told("failed", index, {"error": "the lines above show it"})
    return Told("failed", first, {"error": _told(rows, first)})


def _joined(rows: Sequence[str], index: int) -> str:
    return " ".join(without_frame(row) for row in rows[index : index + 3])


def _errors(rows: Sequence[str], index: int) -> Iterator[int]:
    for each in range(max(0, index - BEFORE), min(len(rows), index + AFTER)):
        row = without_frame(rows[each])
        if _FIRST.search(row) and not _NOT_YET.match(row):
            yield each


def _told(rows: Sequence[str], index: int) -> str:
    """The error's own words; CMake writes them in the line after its place."""
    words = without_frame(rows[index])
    if words.startswith("CMake Error") and index + 1 < len(rows):
        words = f"{words} {without_frame(rows[index + 1])}"
    return words[:LONGEST_ERROR]
