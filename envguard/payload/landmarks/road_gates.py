"""The gates of a kind on another road than the CPU: the same ones, by names, words and limits of that road's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..gates import GateDeclaration
from ..int8.goals import Goal
from .gates import LandmarkGate
from .kind import LandmarkKind

SHIFT_SHARE = 0.75
"""Of the limit for landmarks on the CPU: what computes in half precision multiplies int8 weights out as it loads them,
so that nothing but their own rounding is left."""

PIXELS = "px"
BEGINNING = "max_"
DIGITS = 6


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

    Goals for which size or time counts most, and compressed layers, leave landmarks as much as the CPU's limit does.
    """
    whole = goal.bytes_power != goal.time_power or low_rank
    found = {}
    for declaration in (gate.declaration for kind in kinds for gate in kind.gates):
        limit = goal.limits.get(declaration.option, declaration.default)
        if limit is not None:
            share = SHIFT_SHARE if declaration.unit == PIXELS and not whole else 1.0
            found[option_on(road, declaration.option)] = round(limit * share, DIGITS)
    return found


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
