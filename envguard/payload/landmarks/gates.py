"""The gates of a verification: each is declared once, with what of the measures it judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..contract import Gate, Measures
from ..gates import GateDeclaration, Limits, judge

MORE_ACCURATE = "Quantize with --goal accuracy, or give --calibration pictures that are like your own."
MORE_ACCURATE_ON_THE_CPU = (
    "Quantize with --for cpu if no GPU is to take the file, with --goal accuracy, or give --calibration pictures that "
    "are like your own."
)

DETECTOR, LANDMARKS, REST = "detector", "landmarks", "rest"
"""Parts of a kind that a gate may be due to; the rest is what reads the landmarks."""

PARTS = {
    "lost": (DETECTOR, LANDMARKS),
    "extra": (DETECTOR, LANDMARKS),
    "flipped": (LANDMARKS, DETECTOR),
    "changed": (REST, LANDMARKS, DETECTOR),
}
"""By what is counted: the parts that it may be due to, the likeliest first."""

ONE_IN_EIGHT = 0.125
"""The limit for shares on roads that are tried on eight images: what noise may do to one of them is no failure."""

NO_MODELS: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True)
class Measurement:
    """What is judged, and the words that a declaration's texts ask for."""

    value: float
    words: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class LandmarkGate:
    """A gate, what it judges of the measures, None where nothing was measured, and the parts that it may be due to.

    `elsewhere` is the limit on other roads than the CPU, where it is another one.
    """

    declaration: GateDeclaration
    measured: Callable[[Measures], Measurement | None]
    parts: tuple[str, ...]
    elsewhere: float | None = None


def lost(things: str, limit: float, elsewhere: float | None = None) -> LandmarkGate:
    """The share of what the original finds that the copy does not; for `elsewhere` see `LandmarkGate`."""
    gate = _share(things, "lost", "not found any more", limit, lambda measures: measures.counts.lost)
    return replace(gate, elsewhere=elsewhere)


def extra(things: str) -> LandmarkGate:
    """What only the copy finds; most of it is really there and the original's detector just misses it."""
    return _share(things, "extra", "found where the original finds none", None, lambda measures: measures.counts.extra)


def flipped(things: str, limit: float, elsewhere: float | None = None) -> LandmarkGate:
    """What changed its side; for `elsewhere` see `LandmarkGate`."""
    happened = "called left instead of right, or the other way round"
    gate = _share(things, "flipped", happened, limit, lambda measures: measures.counts.flipped)
    return replace(gate, elsewhere=elsewhere)


def recognized_otherwise(categories: str, limit: float, elsewhere: float | None = None) -> LandmarkGate:
    """What was found by both, but is called something else; for `elsewhere` see `LandmarkGate`."""
    happened = "recognized as another one"
    gate = _share(categories, "changed", happened, limit, lambda measures: measures.counts.changed)
    return replace(gate, elsewhere=elsewhere)


def landmark_shift(option: str, limit: float, elsewhere: float | None = None) -> LandmarkGate:
    """How far landmarks move on average, in pixels of the crop that the landmark model sees.

    For `elsewhere` see `LandmarkGate`.
    """

    def measured(measures: Measures) -> Measurement | None:
        shift = measures.landmark_shift
        return None if shift is None else Measurement(shift.px.mean, {"side": shift.crop_side})

    declaration = GateDeclaration(
        name="landmark-shift",
        what="Landmark shift, mean",
        message="Landmarks move by {measured:.2f} pixels of a {side}-pixel crop on average; {limit:g} is allowed.",
        next=MORE_ACCURATE_ON_THE_CPU,
        unit="px",
        option=option,
        default=limit,
    )
    return LandmarkGate(declaration, measured, (LANDMARKS, DETECTOR), elsewhere)


def score_shift(one: str, option: str, limit: float, elsewhere: float | None = None) -> LandmarkGate:
    """How far scores from 0 to 1 change on average; `one` is a single one of them, such as `blendshape`.

    For `elsewhere` see `LandmarkGate`.
    """

    def measured(measures: Measures) -> Measurement | None:
        scores = measures.scores
        return None if scores is None else Measurement(scores.mean_abs, {"scores": scores.name.capitalize()})

    declaration = GateDeclaration(
        name=f"{one}-shift",
        what="{scores}, mean difference",
        message=f"The {one} changes by {{measured:.4f}} on average; {{limit:g}} is allowed.",
        next=MORE_ACCURATE_ON_THE_CPU,
        option=option,
        default=limit,
    )
    return LandmarkGate(declaration, measured, (REST, LANDMARKS, DETECTOR), elsewhere)


def judged(
    gates: Sequence[LandmarkGate], measures: Measures, limits: Limits, models: Mapping[str, Sequence[str]] = NO_MODELS
) -> tuple[Gate, ...]:
    """Every gate that has a limit and was measured; `models` are the names of the models that each part consists of."""
    found = []
    for gate in gates:
        limit, measured = limits[gate.declaration.option], gate.measured(measures)
        if limit is not None and measured is not None:
            names = tuple(name for part in gate.parts for name in models.get(part, ()))
            found.append(replace(judge(gate.declaration, measured.value, limit, words=measured.words), models=names))
    return tuple(found)


def _share(
    things: str, count: str, happened: str, limit: float | None, counted: Callable[[Measures], int | None]
) -> LandmarkGate:
    def measured(measures: Measures) -> Measurement | None:
        number, before = counted(measures), measures.counts.before
        if number is None:
            return None
        words = {"number": number, "before": before, "detail": f"{number} of {before}"}
        return Measurement(number / before if before else float(number > 0), words)

    declaration = GateDeclaration(
        name=f"{things}-{count}",
        what=f"{things} {count}".capitalize(),
        message=f"{{number}} {things} are {happened}; the original finds {{before}}, and {{limit:.1%}} is allowed.",
        next=MORE_ACCURATE_ON_THE_CPU,
        unit="share",
        option=f"max_{things}_{count}",
        default=limit,
    )
    return LandmarkGate(declaration, measured, PARTS[count])
