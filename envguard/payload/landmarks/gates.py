"""The gates of a verification: each is declared once, with the option that limits it and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..contract import Gate, Json, Measures

MORE_ACCURATE = "Quantize fewer layers, or calibrate on pictures that are like your own."


class LandmarkGate(Protocol):
    """What is judged by the limit that `option` sets; one that is not `required` is not judged without a limit."""

    @property
    def option(self) -> str:
        """The option of the step that sets the limit."""

    @property
    def required(self) -> bool:
        """Whether the step cannot do without the limit."""

    def judge(self, measures: Measures, limit: float) -> Gate | None:
        """The gate with what was measured; None where nothing was."""


@dataclass(frozen=True)
class CountGate:
    """A share of what the original finds: that is `lost`, `extra` or `flipped`, as `count` says."""

    things: str
    count: str
    happened: str
    required: bool = True

    @property
    def option(self) -> str:
        """Such as `max_faces_lost`."""
        return f"max_{self.things}_{self.count}"

    def judge(self, measures: Measures, limit: float) -> Gate | None:
        """The count beside what the original finds."""
        counts = measures.counts
        count: int | None = {"lost": counts.lost, "extra": counts.extra, "flipped": counts.flipped}[self.count]
        if count is None:
            return None
        return Gate(
            name=f"{self.things}-{self.count}",
            what=f"{self.things} {self.count}".capitalize(),
            passed=count <= limit * counts.before,
            measured=count / counts.before if counts.before else float(count > 0),
            limit=limit,
            unit="share",
            detail=f"{count} of {counts.before}",
            message=f"{count} {self.things} are {self.happened}; the original finds {counts.before},"
            f" and {limit:.1%} is allowed.",
            next=MORE_ACCURATE,
        )


def lost(things: str) -> CountGate:
    """What only the original finds."""
    return CountGate(things, "lost", "not found any more")


def extra(things: str) -> CountGate:
    """What only the copy finds; most of it is really there and the original's detector just misses it."""
    return CountGate(things, "extra", "found where the original finds none", required=False)


def flipped(things: str) -> CountGate:
    """What changed its side."""
    return CountGate(things, "flipped", "called left instead of right, or the other way round")


@dataclass(frozen=True)
class ShiftGate:
    """How far landmarks move on average, in pixels of the crop that the landmark model sees."""

    option: str
    required: bool = True

    def judge(self, measures: Measures, limit: float) -> Gate | None:
        """The mean shift of everything that both find."""
        shift = measures.landmark_shift
        if shift is None:
            return None
        return Gate(
            name="landmark-shift",
            what="Landmark shift, mean",
            passed=shift.px.mean <= limit,
            measured=shift.px.mean,
            limit=limit,
            unit="px",
            message=f"Landmarks move by {shift.px.mean:.2f} pixels of a {shift.crop_side}-pixel crop on average;"
            f" {limit:g} is allowed.",
            next=MORE_ACCURATE,
        )


@dataclass(frozen=True)
class ScoreGate:
    """How far scores from 0 to 1 change on average; `one` is a single one of them, such as `blendshape`."""

    one: str
    option: str
    required: bool = True

    def judge(self, measures: Measures, limit: float) -> Gate | None:
        """The mean change of everything that both find."""
        scores = measures.scores
        if scores is None:
            return None
        return Gate(
            name=f"{self.one}-shift",
            what=f"{scores.name.capitalize()}, mean difference",
            passed=scores.mean_abs <= limit,
            measured=scores.mean_abs,
            limit=limit,
            message=f"The {self.one} changes by {scores.mean_abs:.4f} on average; {limit:g} is allowed.",
            next=MORE_ACCURATE,
        )


def judged(gates: Sequence[LandmarkGate], measures: Measures, options: Mapping[str, Json]) -> tuple[Gate, ...]:
    """Every gate that has a limit and was measured; raises KeyError for a limit that is required."""
    found = []
    for gate in gates:
        limit = options[gate.option] if gate.required else options.get(gate.option)
        made = None if limit is None else gate.judge(measures, float(str(limit)))
        found += [] if made is None else [made]
    return tuple(found)
