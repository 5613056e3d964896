"""What a user wants most of a quantized model: how large an error may be, and what counts below that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..protocol import Refused
from .treatments import Form

FINDER_PART = 1 / 8
"""Part of the error of other models that is left to one that finds what they then look at.

In MediaPipe's face bundle, landmarks move 0.35 px on average with the whole body of the detector in int8, 0.27 px with
its first half, and 0.26 px with none of it; noise moves the detector's own outputs by far more.
"""

FINDER_ERROR = 0.1875
"""The most that is left to it with any goal: int8 arithmetic in the face detector saves 1 % of a call for 0.05 px."""


@dataclass(frozen=True)
class Goal:
    """How far to go for bytes and time at the cost of accuracy.

    `most_error` is the largest error of a model on held-out inputs, in units of the error that noise of one grey level
    on those inputs makes by itself; `direct_error` is that of a model whose convolutions read int8 weights themselves,
    as GPUs want it: its inputs are rounded as they come, so that single calls stray farther. Of the recipes within it,
    the one with the least product of bytes and time, each to the power given and relative to the original's, is taken.

    With `products`, int8 arithmetic in matrix products is tried, with `convolutions` in convolutions too. `last` says
    whether layers that make an output get int8 weights where nothing can be measured. PRELU slopes of up to
    `wide_channels` channels are repeated along the width. `limits` of gates, by option, are the goal's own.
    `form` is that of the weights, which the roads say that a file is for.
    """

    name: str
    most_error: float
    direct_error: float
    bytes_power: float
    time_power: float
    products: bool = True
    last: bool = True
    convolutions: bool = False
    wide_channels: int = 16
    limits: Mapping[str, float] = field(default_factory=dict)
    form: Form = Form.ANY

    @property
    def counts(self) -> str:
        """What the cost is made of, in words."""
        if self.bytes_power == self.time_power:
            return "size times time"
        return "size" if self.bytes_power > self.time_power else "time"

    def for_form(self, form: Form) -> Goal:
        """The goal for a model whose weights must be of that form."""
        if form is Form.ANY:
            return self
        return replace(self, form=form, most_error=self.direct_error, products=False, wide_channels=0)

    def for_finder(self) -> Goal:
        """The goal for a model that tells others where to look: its error is theirs before they begin."""
        return replace(self, most_error=min(self.most_error * FINDER_PART, FINDER_ERROR))

    def cost(self, bytes_share: float, time_share: float) -> float:
        """What is made as small as can be."""
        return float(bytes_share**self.bytes_power * time_share**self.time_power)


BALANCED = Goal("balanced", most_error=1.5, direct_error=1.35, bytes_power=1, time_power=1)
GOALS = {
    goal.name: goal
    for goal in (
        Goal("accuracy", most_error=1.0, direct_error=0.9, bytes_power=1, time_power=1, products=False, last=False),
        BALANCED,
        Goal(
            "size",
            most_error=2.0,
            direct_error=1.95,
            bytes_power=1,
            time_power=0.1,
            wide_channels=8,
            limits={"max_landmark_px": 0.45, "max_blendshape": 0.010},
        ),
        Goal(
            "speed",
            most_error=2.4,
            direct_error=2.2,
            bytes_power=0.1,
            time_power=1,
            convolutions=True,
            limits={"max_landmark_px": 0.5, "max_blendshape": 0.012},
        ),
    )
}


def goal_of(name: str) -> Goal:
    """The goal of that name; `Refused` if there is none."""
    if name not in GOALS:
        raise Refused(f"There is no goal {name!r}.", next_step=f"Choose one of: {', '.join(GOALS)}.")
    return GOALS[name]
