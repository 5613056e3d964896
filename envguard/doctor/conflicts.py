"""Read a resolver's refusal: which requirements of one package exclude each other, and who brought them in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

YOU = "you"
MOST_LINES = 200
MOST_DEMANDS = 60

_PIP_START = "The conflict is caused by:"
_PIP_USER = re.compile(r"The user requested (?:\(constraint\) )?(?P<what>\S.{0,300})")
_PIP_DEPENDS = re.compile(r"(?P<who>[\w.-]{1,100} [\w.!+-]{1,60}) depends on (?P<what>\S.{0,300})")
_UV_START = "No solution found when resolving"
_UV_REQUIREMENT = r"[A-Za-z0-9][\w.-]{0,99}(?:\[[\w,.-]{0,99}\])?(?:[<>=!~][^\s,]{1,60}(?:,[<>=!~][^\s,]{1,60}){0,5})?"
_UV_DEPENDS = re.compile(
    rf"(?P<who>all versions of [\w.-]{{1,100}}|your project|{_UV_REQUIREMENT}) depends? on (?P<what>{_UV_REQUIREMENT})"
)
_UV_USER = re.compile(
    rf"you require (?P<what>{_UV_REQUIREMENT})(?: and (?!you )(?P<also>{_UV_REQUIREMENT})(?!,? depends))?"
)
_FRAME = re.compile(r"^[ \t│╰├─▶×]*(cause: )?")
_NAME = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]{0,100}\])?\s*(?P<specifier>[^;{]*)")


@dataclass(frozen=True, slots=True)
class Demand:
    """A requirement: `by` wants the package in certain versions (`specifier`, PEP 440, empty for any).

    `by` is "you" or a distribution with its version; `through` are those that brought it in, nearest first.
    """

    package: str
    specifier: str
    by: str
    through: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        """The demand as a requirement: `numpy<2`."""
        return f"{self.package}{self.specifier}"

    def as_json(self) -> dict[str, object]:
        """The demand for `--json`."""
        return {"requirement": self.requirement, "by": self.by, "through": list(self.through)}


@dataclass(frozen=True, slots=True)
class Conflict:
    """The package that cannot be resolved, and the demands for it that exclude each other."""

    tool: Literal["pip", "uv"]
    package: str
    demands: tuple[Demand, ...]
    wanted: tuple[str, ...]
    """What the user asked for, as requirements."""

    def as_json(self) -> dict[str, object]:
        """The conflict for `--json`."""
        return {
            "tool": self.tool,
            "package": self.package,
            "demands": [demand.as_json() for demand in self.demands],
            "wanted": list(self.wanted),
        }


def read_conflict(lines: Sequence[str]) -> Conflict | None:
    """The first conflict that pip or uv reports in these lines; None if there is none in a known form."""
    for index, line in enumerate(lines):
        if _PIP_START in line:
            wanted = _pip_roots(lines[max(0, index - 5) : index])
            demands = list(_pip_demands(lines[index + 1 : index + MOST_LINES]))
            found = _conflict("pip", demands, wanted)
        elif _UV_START in line:
            demands = list(_uv_demands(_uv_sentence(lines[index + 1 : index + MOST_LINES])))
            found = _conflict("uv", demands, tuple(each.requirement for each in demands if each.by == YOU))
        else:
            continue
        if found is not None:
            return found
    return None


def _pip_roots(lines: Iterable[str]) -> tuple[str, ...]:
    for line in lines:
        found = re.search(r"Cannot install (.{1,1000}) because these package versions have conflicting", line)
        if found:
            return tuple(re.split(r", (?:and )?| and ", found[1]))
    return ()


def _pip_demands(lines: Iterable[str]) -> Iterator[Demand]:
    for line in lines:
        if not line.startswith(" ") or not line.strip():
            return
        user, depends = _PIP_USER.search(line), _PIP_DEPENDS.search(line)
        if user is not None:
            yield _demand(user["what"], YOU)
        elif depends is not None:
            yield _demand(depends["what"], "==".join(depends["who"].split()))


def _uv_sentence(lines: Iterable[str]) -> str:
    words = []
    for line in lines:
        said = _FRAME.sub("", line).strip()
        if not said or said.startswith("hint:"):
            break
        words.append(said)
    return " ".join(words)


def _uv_demands(sentence: str) -> Iterator[Demand]:
    for found in _UV_DEPENDS.finditer(sentence):
        if found["what"].startswith("Python"):
            continue
        yield _demand(found["what"], found["who"].removeprefix("all versions of "))
    for found in _UV_USER.finditer(sentence):
        if _concluded(sentence, found.start()):
            continue
        for what in (found["what"], found["also"]):
            if what:
                yield _demand(what, YOU)


def _concluded(sentence: str, position: int) -> bool:
    """Whether the text there is a conclusion and not a requirement."""
    return sentence[:position].endswith("we can conclude that ")


def _demand(said: str, by: str) -> Demand:
    found = _NAME.match(said.strip().rstrip("."))
    if found is None:
        return Demand(said, "", by)
    specifier = ",".join(part.strip() for part in re.split(r",| and ", found["specifier"]) if part.strip())
    return Demand(_canonical(found["name"]), specifier, by)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _conflict(tool: Literal["pip", "uv"], said: Sequence[Demand], wanted: tuple[str, ...]) -> Conflict | None:
    # Imported for a conflict only: without packaging, `explain` answers in half the time.
    from envguard.doctor.specifiers import exclude_each_other

    demands = list(dict.fromkeys(said))[:MOST_DEMANDS]
    for first in demands:
        rivals = [
            each
            for each in demands
            if each.package == first.package and exclude_each_other(first.specifier, each.specifier)
        ]
        if rivals:
            chosen = tuple(_with_path(each, demands) for each in dict.fromkeys([first, *rivals]))
            return Conflict(tool, first.package, chosen, wanted)
    return None


def _with_path(demand: Demand, demands: Sequence[Demand]) -> Demand:
    """The demand, with the path by which its author was brought in, as far as the resolver tells."""
    path: list[str] = []
    by = demand.by
    while by != YOU and len(path) < MOST_DEMANDS:
        name = _canonical(re.split(r"[<>=!~\[]", by)[0])
        parents = [each.by for each in demands if each.package == name]
        if not parents or parents[0] in path:
            break
        by = parents[0]
        path.append(by)
    return Demand(demand.package, demand.specifier, demand.by, tuple(path))
