"""The lint of every model of a file, and the gate that a copy is held to: what took the original takes the copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..contract import TARGETS, Gate, RoadLint
from ..files.bundle import BUNDLE_SUFFIX, Bundle
from ..gates import GateDeclaration, due_to, judge
from ..graph import model as models
from ..int8 import quantizing
from .lint import linted
from .members import runner_of

Lints = Mapping[str, Sequence[RoadLint]]
"""What rules tell of each model, by its name in the file."""

ROAD_REFUSED = GateDeclaration(
    "road-refused",
    "Taken on the road {road}, by rules",
    "The road {road} takes the original of {subject} and refuses the copy: {refused}.",
    "Quantize with --for {target}, which makes a file that this road takes.",
)


def lints_of(file: Bundle) -> dict[str, tuple[RoadLint, ...]]:
    """What rules tell of every model of the file on every road; `Refused` if one is damaged."""
    in_bundle = file.suffix == BUNDLE_SUFFIX
    return {
        each.name: linted(
            models.load(quantizing.split(each.data, each.name)[0], each.name), runner_of(each.path, in_bundle)
        )
        for each in file.models()
    }


def judged_roads(originals: Lints, copies: Lints, roads: Sequence[str]) -> Iterator[Gate]:
    """A gate for each model and each of the roads that takes the original."""
    for name, copy in copies.items():
        verdicts = {lint.road: lint.verdict for lint in originals.get(name, ())}
        for lint in copy:
            if lint.road in roads and verdicts.get(lint.road) == "taken":
                yield from due_to(name, [_judged(name, lint)])


def refused_in_words(lint: RoadLint) -> str:
    """The operators that are refused, with the runtime's words."""
    return "; ".join(f"{each.count} {each.operator}: {each.reason.rstrip('.')}" for each in lint.refused)


def _judged(name: str, lint: RoadLint) -> Gate:
    words = {"road": lint.road, "refused": refused_in_words(lint), "target": _target(lint.road)}
    return judge(ROAD_REFUSED, passed=lint.verdict != "refused", subject=name, words=words)


def _target(road: str) -> str:
    """The narrowest name of a target that the road belongs to."""
    return min((name for name, roads in TARGETS.items() if road in roads), key=lambda name: len(TARGETS[name]))
