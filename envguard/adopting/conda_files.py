"""Read an environment.yml of conda's: its pip part, and those of its packages that may be on the package index too.

Only the small part of YAML that such files are made of is read: keys, texts, and lists of texts. Everything else is
refused, with its line: a reader that guesses would install other packages than those that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envguard.adopting.found import MOST_REQUIREMENTS, Found, as_requirement, quoted, read_text, refusal

_ENTRY = re.compile(r"(?P<indent> *)(?P<dash>- +)?(?:(?P<key>[A-Za-z_][A-Za-z0-9_-]*):(?: +|$))?(?P<value>.*)")
_COMMENT = re.compile(r"(^|\s)#.*$")
# What begins something else than a plain text in YAML.
_SPECIAL = tuple("&*!|>%@`{}[],?\"'")
_SPEC = re.compile(
    r"(?:[A-Za-z0-9./_-]+::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)\s*(?P<version>[=<>!~ ][^=<>!~ ].*|[=<>!~]=.*|)"
)
# Programs and libraries of conda's own, which a requirement could never stand for.
_NOT_PYTHONS = {"pip", "setuptools", "wheel"}
_KEYS = ("name", "channels", "dependencies", "prefix", "variables")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that says something: its number, its depth, whether it is of a list, and its key and text."""

    number: int
    indent: int
    dash: bool
    key: str
    value: str


def read_conda(path: Path) -> Found:
    """What an environment.yml asks for; raises BadInput for YAML that is more than such files need."""
    name, packages, pip, notes = "", list[str](), list[str](), list[str]()
    for section, inner, line in _sections(path):
        if section == "name":
            name = line.value
        elif section == "dependencies" and line.value:
            (pip if inner == "pip" else packages).append(line.value)
        elif section == "variables":
            notes.append(f"The variable {quoted(line.key)} was left out: a task's step names its own, in env.")
    if len(packages) + len(pip) > MOST_REQUIREMENTS:
        raise refusal(path, f"it has more than {MOST_REQUIREMENTS:,} requirements")
    requirements, more = _of_pip(pip)
    perhaps, python, others = _of_conda(packages)
    return Found(
        tuple(requirements),
        tuple(dict.fromkeys([*notes, *more, *others])),
        name=name,
        requires_python=python,
        perhaps=tuple(perhaps),
    )


def _sections(path: Path) -> Iterator[tuple[str, str, _Line]]:
    """Each value with its key at the top, and the key of the list in a list that it is in."""
    section, inner, depth = "", "", 0
    for line in _lines(path):
        if line.indent == 0 and not line.dash:
            section, inner = line.key, ""
            if section not in _KEYS:
                raise _refused(path, line, f"{quoted(section or line.value)!r} is none of {', '.join(_KEYS)}")
            if line.value:
                yield section, "", line
        elif section == "variables" and line.key and not line.dash:
            yield section, "", line
        elif not line.dash or section not in ("channels", "dependencies"):
            raise _refused(path, line, "it is neither a key nor an entry of a list")
        elif line.key and line.value:
            raise _refused(path, line, f"{line.key} must be followed by a list")
        elif line.key:
            if line.key != "pip" or section != "dependencies":
                raise _refused(path, line, f"only pip has a list of its own, not {quoted(line.key)}")
            inner, depth = "pip", line.indent
        else:
            inner = inner if line.indent > depth else ""
            yield section, inner, line


def _lines(path: Path) -> Iterator[_Line]:
    for number, text in enumerate(read_text(path).splitlines(), 1):
        plain = _COMMENT.sub("", text).rstrip()
        if not plain or (number == 1 and plain == "---"):
            continue
        match = _ENTRY.fullmatch(plain)
        if match is None or "\t" in plain or plain in ("---", "..."):
            raise _refused(path, _Line(number, 0, False, "", plain), "it is not of the part of YAML that is read")
        line = _Line(number, len(match["indent"]), bool(match["dash"]), match["key"] or "", match["value"])
        yield _Line(line.number, line.indent, line.dash, line.key, _plain(path, line))


def _plain(path: Path, line: _Line) -> str:
    """A text without quotes; raises BadInput for whatever else YAML has."""
    value = line.value
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] and not set(value[1:-1]) & {value[0], "\\"}:
        return value[1:-1]
    if value.startswith(_SPECIAL) or (value.endswith(":") and not line.key) or ": " in value:
        raise _refused(path, line, "it is not of the part of YAML that is read")
    return value


def _refused(path: Path, line: _Line, why: str) -> Exception:
    return refusal(
        path,
        f"line {line.number}: {why}",
        "Write it as keys with texts or lists of texts, one to a line, or name a requirements.txt.",
    )


def _of_pip(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    requirements, notes = [], []
    for each in lines:
        found = as_requirement(each)
        if each.startswith("-"):
            notes.append(f"{quoted(each)} was left out: of the pip part, only requirements are read; see --from.")
        elif isinstance(found, str):
            notes.append(found)
        else:
            requirements.append(str(found))
    return requirements, notes


def _of_conda(specs: Sequence[str]) -> tuple[list[str], str, list[str]]:
    """Requirements of what may be on the package index, Python's specifiers, and a note for each other package."""
    perhaps, notes = list[str](), list[str]()
    python = ""
    for spec in specs:
        match = _SPEC.fullmatch(spec)
        specifiers = _specifiers(match["version"]) if match else None
        if match is None or specifiers is None:
            notes.append(f"{quoted(spec)} was left out: its version is written as only conda reads it.")
        elif match["name"] == "python":
            python = specifiers
        elif match["name"].startswith("_") or match["name"] in _NOT_PYTHONS:
            notes.append(f"{match['name']} was left out: it belongs to conda or to every environment.")
        else:
            found = as_requirement(f"{match['name']}{specifiers}")
            if isinstance(found, Requirement):
                perhaps.append(str(found))
            else:
                notes.append(found)
    return perhaps, python, notes


def _specifiers(version: str) -> str | None:
    """Conda's version as specifiers (PEP 440): `=1.2` and `1.2` are any 1.2.x; None for what has no such form."""
    parts = version.strip()
    if parts.startswith("=") and not parts.startswith("=="):
        number, build = (parts[1:].split("=") + [""])[:2]
        parts = f"=={number}" if build or number.endswith("*") else f"=={number}.*"
    elif parts and parts[0].isdigit():
        number, *rest = parts.split(" ")
        parts = f"=={number}" if rest or number.endswith("*") else f"=={number}.*"
    else:
        parts = re.sub(r"(==[^=,|]+)=[^=,]+$", r"\1", parts)  # a build after the version
    parts = re.sub(r"(?<=[0-9])\*", ".*", parts)
    try:
        SpecifierSet(parts)
    except InvalidSpecifier:
        return None
    return parts
