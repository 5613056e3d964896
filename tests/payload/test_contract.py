"""The door's values are written as JSON and read again, on every Python; what does not fit is named by its path."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envguard.payload import contract
from envguard.payload.contract import (
    CallTimes,
    CheckFindings,
    FailedRun,
    Gate,
    Note,
    Progress,
    Reference,
    Request,
    SeveralDocument,
    StepEvent,
    StepFindings,
    Unreadable,
    VerifyFindings,
    from_json,
    hints_of,
    settled,
    to_json,
    verdict_of,
)

GATE = Gate("landmark-shift", "Landmark shift, mean", passed=False, measured=0.5, limit=0.4, unit="px", message="Far.")
VERIFIED = VerifyFindings(verified=True, kind="face", mediapipe="1", latency=CallTimes(2.0, 1.0, 0.5))


def again(value: object, kind: Any) -> object:
    read: object = from_json(kind, json.loads(json.dumps(to_json(value))))
    return read


def test_every_type_of_the_door_has_hints_that_can_be_read_at_run_time() -> None:
    kinds = [getattr(contract, name) for name in contract.__all__]
    found = [kind for kind in kinds if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
    assert len(found) > 50
    assert all(hints_of(kind) for kind in found)


@pytest.mark.parametrize(
    "event", [Progress("x", 1.0, 2.0), Note("x"), StepFindings(VERIFIED, (GATE,), {"details": "details.json"})]
)
def test_an_event_is_read_as_what_it_was(event: object) -> None:
    assert again(event, StepEvent) == event


def test_a_request_is_read_as_it_was_written() -> None:
    request = Request("steps.verify", {"face": (Path("a b.jpg"),)}, Path("work"), {"limit": 0.4}, {"verify": VERIFIED})
    assert again(request, Request) == request
    assert request.file("face") == Path("a b.jpg")
    assert request.files("hand") == ()


def test_runs_of_both_kinds_are_told_apart() -> None:
    failed = FailedRun("quantize", {"path": "m"}, "It failed.", "", "", 2)
    assert again(SeveralDocument("quantize", "no", (failed,)), SeveralDocument) == SeveralDocument(
        "quantize", "no", (failed,)
    )


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"event": "result", "gates": [{"name": "x"}]}, "gates[0].what is missing"),
        ({"event": "result", "gates": [{"name": "x", "what": "", "passed": 1}]}, "gates[0].passed is not true or"),
        ({"event": "result", "values": {"step": "verify", "verified": True, "kind": 3, "mediapipe": ""}},
         "values.kind is not a text"),
        ({"event": "result", "values": {"step": "nothing"}}, "values is none of"),
        ({"event": "result", "more": 1}, "more is not a known key"),
        ([], "the document is none of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(document: object, says: str) -> None:
    with pytest.raises(Unreadable) as error:
        from_json(StepEvent, document)  # type: ignore[arg-type]
    assert says in str(error.value)


def test_what_json_does_not_have_is_refused_where_it_is() -> None:
    with pytest.raises(Unreadable, match=r"facts\.x\[1\] is nan"):
        to_json(CheckFindings({"x": [0.0, float("nan")]}))


def test_a_reference_says_what_it_was_read_from() -> None:
    assert str(Reference.parse("task:input")) == "task:input"
    assert (Reference.parse("compare:samples").step, Reference.parse("sample:face").step) == ("compare", "")
    for text in ("", "task", ":x", "task:"):
        with pytest.raises(ValueError, match="is not a reference"):
            Reference.parse(text)


COMPARED = Gate("compared", "Compared with the original", passed=False, subject="net", judged=False)


@pytest.mark.parametrize(
    ("gates", "verdict"),
    [
        ((), "yes"),
        ((replace(GATE, passed=True),), "yes"),
        ((COMPARED,), "unverified"),
        ((COMPARED, GATE), "no"),
        ((COMPARED, replace(COMPARED, passed=True, judged=True)), "yes"),
        ((COMPARED, replace(COMPARED, passed=True, judged=True, subject="other")), "unverified"),
        ((GATE, replace(GATE, passed=True)), "no"),
    ],
)
def test_what_could_not_be_judged_is_not_yes_unless_a_later_step_settles_it(
    gates: tuple[Gate, ...], verdict: str
) -> None:
    assert verdict_of(settled(gates)) == verdict
