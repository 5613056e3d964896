"""A gate's limit is the user's, the goal's, the catalog's or its own, and a judged gate carries what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.payload.contract import NO, YES, Gate, Json, Request, StepFindings, verdict_of
from envguard.payload.gates import GateDeclaration, judge, limits_of
from envguard.payload.protocol import Refused

SHIFT = GateDeclaration(
    "shift", "Shift of {what}", "{subject} moves by {measured:.1f}; {limit:g} is allowed.", "Rest.", "px", "max_px", 0.4
)
ALIKE = GateDeclaration("unlike", "Likeness", "{subject} is unlike.", option="min_alike", at_least=True)


def limits(options: Mapping[str, Json], *chosen: str, **goal: float) -> Mapping[str, float | None]:
    request = Request("steps.x", {}, Path(), options, chosen=chosen)
    return limits_of((SHIFT, ALIKE), request, goal)


def test_a_limit_is_the_declarations_unless_the_catalog_the_goal_or_the_user_sets_another() -> None:
    assert limits({}) == {"max_px": 0.4, "min_alike": None}
    assert limits({"max_px": 1}) == {"max_px": 1.0, "min_alike": None}
    assert limits({"max_px": 1}, max_px=2.0)["max_px"] == 2.0
    assert limits({}, max_px=2.0)["max_px"] == 2.0
    assert limits({"max_px": 3.0}, "max_px", max_px=2.0)["max_px"] == 3.0


def test_a_limit_that_is_not_a_number_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="'max_px' is not a number"):
        limits({"max_px": "wide"})


def test_a_passed_gate_carries_its_measurement_and_says_nothing() -> None:
    gate = judge(SHIFT, 0.3, 0.4, subject="it", words={"what": "it all", "detail": "3 of 10"})
    assert gate == Gate("shift", "Shift of it all", True, "it", 0.3, 0.4, "px", "3 of 10")


def test_a_gate_that_is_not_passed_says_what_happened_and_what_to_do() -> None:
    gate = judge(SHIFT, 0.5, 0.4, subject="It", words={"what": "it"})
    assert not gate.passed
    assert (gate.message, gate.next) == ("It moves by 0.5; 0.4 is allowed.", "Rest.")


def test_a_limit_may_be_the_least_that_is_allowed() -> None:
    assert judge(ALIKE, 0.9, 0.9).passed
    assert not judge(ALIKE, 0.8, 0.9).passed


def test_what_decides_by_more_than_one_number_may_say_so() -> None:
    assert judge(SHIFT, 9.0, 0.4, passed=True, words={"what": "it"}).passed
    with pytest.raises(ValueError, match="needs a measurement"):
        judge(SHIFT, words={"what": "it"})


def test_a_waived_gate_is_on_record_and_stands_in_nobodys_way() -> None:
    waived = replace(judge(SHIFT, 0.5, 0.4, subject="it", words={"what": "it"}), waived=True)
    assert (waived.passed, waived.failed, verdict_of([waived])) == (False, False, YES)
    assert verdict_of([waived, replace(waived, waived=False)]) == NO
    assert StepFindings(gates=(waived,)).failures == ()
