"""Gates: each is declared once, beside the step that judges it, and judged here into what crosses the door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .contract import Gate, Request, Unreadable, from_json
from .protocol import Refused

Limits = Mapping[str, "float | None"]
"""The limits of a step's gates, by option; a gate whose limit is None is not judged."""


@dataclass(frozen=True)
class GateDeclaration:
    """One thing that is judged.

    `name` is what messages and exit codes are known by, `what` the words for a reader. What is measured, in `unit`, is
    held against a limit: the most that is allowed, or the least if `at_least`. The limit is `default` unless the
    step's `option` sets another. A gate without a limit either holds or does not. `message` and `next` are for one that
    is not passed. `what`, `message` and `next` may name `{subject}`, `{measured}`, `{limit}`, and other words of the
    case.
    """

    name: str
    what: str
    message: str
    next: str = ""
    unit: str = ""
    option: str = ""
    default: float | None = None
    at_least: bool = False


COMPARED = GateDeclaration("compared", "Compared with the original", "{subject} could not be compared: {cause}")
"""Of each model; what the step `compare` cannot run may be run by MediaPipe in the step `verify`, which settles it."""

NO_WORDS: Mapping[str, object] = {}


def limits_of(gates: Sequence[GateDeclaration], request: Request, goal: Mapping[str, float]) -> Limits:
    """The limit of each gate that has an option: the user's, or else the goal's, the catalog's, the default.

    `Refused` names an option that is not a number.
    """
    limits = {}
    for gate in gates:
        if gate.option:
            given = gate.option in request.options
            own = request.options.get(gate.option, gate.default)
            chosen = own if given and gate.option in request.chosen else goal.get(gate.option, own)
            limits[gate.option] = _number(gate.option, chosen)
    return limits


def judge(
    gate: GateDeclaration,
    measured: float | None = None,
    limit: float | None = None,
    *,
    passed: bool | None = None,
    subject: str = "",
    words: Mapping[str, object] = NO_WORDS,
) -> Gate:
    """The gate with what was measured on the `subject`.

    Without `passed`, the measurement decides by itself. `words` are for the declaration's texts; `detail` of them says
    the measurement in the words of a count.
    """
    if passed is None:
        passed = _within(gate, measured, limit)
    said = {"subject": subject, "measured": measured, "limit": limit, **words}
    return Gate(
        name=gate.name,
        what=gate.what.format(**said),
        passed=passed,
        subject=subject,
        measured=measured,
        limit=limit,
        unit=gate.unit,
        detail=str(words.get("detail", "")),
        message="" if passed else gate.message.format(**said),
        next="" if passed else gate.next.format(**said),
    )


def due_to(model: str, gates: Iterable[Gate]) -> list[Gate]:
    """The gates, each marked with the model that it judges."""
    return [replace(gate, models=(model,)) for gate in gates]


def unjudged(gate: GateDeclaration, message: str, subject: str, words: Mapping[str, object] = NO_WORDS) -> Gate:
    """The gate where nothing could be measured; the message, which may name `{subject}` and the words, says why."""
    said = {"subject": subject, **words}
    return Gate(gate.name, gate.what, passed=False, subject=subject, message=message.format(**said), judged=False)


def _within(gate: GateDeclaration, measured: float | None, limit: float | None) -> bool:
    if measured is None or limit is None:
        raise ValueError(f"the gate {gate.name!r} needs a measurement and a limit, or whether it is passed")
    return measured >= limit if gate.at_least else measured <= limit


def _number(option: str, value: object) -> float | None:
    try:
        return None if value is None else from_json(float, value, option)
    except Unreadable as cause:
        raise Refused(f"The option {option!r} {cause.problem}.") from cause
