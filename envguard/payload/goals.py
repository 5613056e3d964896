"""What a user wants most of a quantized model, as the few numbers in which recipes differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .protocol import Refused


@dataclass(frozen=True)
class Goal:
    """How far to go for bytes and time at the cost of accuracy.

    `least_share` is the share of the whole file below which a float16 tensor is not worth an error. With `keep_last`,
    layers that make an output stay float, as nothing behind them evens their error out. With `dynamic`, matrix
    products compute in int8. PRELU slopes of up to `wide_channels` channels are repeated along the width.
    """

    name: str
    least_share: float
    keep_last: bool
    dynamic: bool
    wide_channels: int


BALANCED = Goal("balanced", least_share=1 / 256, keep_last=False, dynamic=True, wide_channels=16)
GOALS = {
    goal.name: goal
    for goal in (
        Goal("accuracy", least_share=1 / 256, keep_last=True, dynamic=False, wide_channels=16),
        BALANCED,
        Goal("size", least_share=1 / 256, keep_last=False, dynamic=True, wide_channels=8),
    )
}


def goal_of(options: Mapping[str, Any]) -> Goal:
    """The goal that a request's option `goal` names, `balanced` if it has none; `Refused` for an unknown one."""
    name = options.get("goal", BALANCED.name)
    if name not in GOALS:
        raise Refused(f"There is no goal {name!r}.", next_step=f"Choose one of: {', '.join(GOALS)}.")
    return GOALS[name]
