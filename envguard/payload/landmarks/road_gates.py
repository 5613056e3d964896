"""The gates of a kind on another road than the CPU: the same ones, by names, words and limits of that road's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..contract import QuantizeFindings, Request
from ..gates import GateDeclaration
from ..int8.goals import Goal
from .gates import LandmarkGate
from .kind import LandmarkKind

BEGINNING = "max_"


def refuses(road: str, what: str, next_step: str) -> GateDeclaration:
    """Whether the road's runtime takes the copy where it takes the original; `what` is the runtime in words."""
    return GateDeclaration(
        f"{road}-refuses",
        f"{what} takes the copy, as it does the original",
        f"{what} does not take the quantized file, but does take the original: {{reason}}",
        next_step,
    )


def gates_on(road: str, kind: LandmarkKind) -> tuple[LandmarkGate, ...]:
    """The gates of the kind, each as one of the road."""
    return tuple(replace(gate, declaration=_on(road, gate.declaration)) for gate in kind.gates)


def limits_on(road: str, kinds: Sequence[LandmarkKind], goal: Goal, *, low_rank: bool) -> Mapping[str, float]:
    """The limits that a goal has for the road's gates, by option.

    Goals for which size or time counts most, and compressed layers, leave landmarks as much as on the CPU.
    """
    strict = goal.bytes_power == goal.time_power and not low_rank
    found = {}
    for gate in (gate for kind in kinds for gate in kind.gates):
        option = gate.declaration.option
        limit = goal.limits.get(option, gate.declaration.default)
        if limit is not None and gate.elsewhere is not None:
            limit = gate.elsewhere if strict else max(limit, gate.elsewhere)
        if limit is not None:
            found[option_on(road, option)] = limit
    return found


def is_low_rank(request: Request) -> bool:
    """Whether layers of the copy were compressed."""
    try:
        return any(model.low_rank for model in request.found(QuantizeFindings).recipe.models.values())
    except LookupError:
        return False


def option_on(road: str, option: str) -> str:
    """What the limit of a gate is called on the road: `max_landmark_px` is `max_gpu_landmark_px` there."""
    return option.replace(BEGINNING, f"{BEGINNING}{road.replace('-', '_')}_", 1)


def _on(road: str, declaration: GateDeclaration) -> GateDeclaration:
    message = declaration.message
    return replace(
        declaration,
        name=f"{road}-{declaration.name}",
        what=f"{declaration.what}, on the road {road}",
        message=f"On the road {road}: {message}",
        option=option_on(road, declaration.option),
    )
