"""What a lock says of a package of the project's own: what it and its build require; not its code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from envguard.locks.sdists.built import BuildTool
from envguard.requirement import OwnPackage, parsed

_LINE = re.compile(r"(?P<path>\S+) (?P<what>is|editable|requires|build-requires|built-with) (?P<value>\S.*)")


@dataclass(frozen=True, slots=True)
class LockedOwn:
    """A package in the folder `path`, what it and its build require (PEP 508), and the wheels that are there then.

    One that is not `editable` has a build backend that cannot install it so.
    """

    path: str
    name: str
    requires: tuple[str, ...]
    build_requires: tuple[str, ...]
    tools: tuple[BuildTool, ...] = ()
    editable: bool = True

    def lines(self) -> Iterator[str]:
        """The lines in the head of a lock."""
        begin = f"# project: {self.path}"
        yield f"{begin} is {self.name}"
        if not self.editable:
            yield f"{begin} editable no"
        yield from (f"{begin} requires {each}" for each in self.requires)
        yield from (f"{begin} build-requires {each}" for each in self.build_requires)
        for tool in self.tools:
            yield f"{begin} built-with {tool}"


def read_own(lines: Iterable[str]) -> tuple[LockedOwn, ...]:
    """The packages in such lines, without their beginning; raises ValueError for a line that is none."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"has the line {line[:80]!r}, which says nothing of a package of the project")
        found.setdefault(match["path"], {}).setdefault(match["what"], []).append(match["value"])
    return tuple(_package(path, values) for path, values in found.items())


def _package(path: str, values: dict[str, list[str]]) -> LockedOwn:
    for each in (*values.get("requires", ()), *values.get("build-requires", ())):
        parsed(each)
    (name,) = values.get("is", [""])
    return LockedOwn(
        path,
        name,
        tuple(values.get("requires", ())),
        tuple(values.get("build-requires", ())),
        tuple(map(BuildTool.parse, values.get("built-with", ()))),
        "editable" not in values,
    )


def own_difference(locked: Sequence[LockedOwn], wanted: Sequence[OwnPackage]) -> str:
    """How the packages of a lock differ from what they say of themselves today; empty if they do not."""
    before, after = [each.path for each in locked], [each.path for each in wanted]
    if before != after:
        return f"the catalog installs the project's own packages {_listed(after)}, the lock {_listed(before)}"
    for old, new in zip(locked, wanted, strict=True):
        for what, was, now in (
            ("requires", old.requires, new.requires),
            ("is built with", old.build_requires, new.build_requires),
        ):
            if now is not None and set(was) != set(now):
                more = [each for each in now if each not in was]
                changed = f"{more[0]!r}, which the lock lacks" if more else f"no {min(set(was) - set(now))!r} any more"
                return f"the package in {new.path} {what} {changed}"
        if new.name and old.name != new.name:
            return f"the package in {new.path} is {new.name}, and was {old.name}"
    return ""


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(map(repr, paths)) or "none"
