"""Read the request of a step, and write what the step says: events, findings, a refusal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .contract import (
    Gate,
    Note,
    Progress,
    Refusal,
    Request,
    StepFindings,
    Unreadable,
    from_json,
    keys_of,
    to_json,
)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Failure:
    """A gate that was not passed: the work was done and the verdict is no."""

    name: str
    message: str
    next_step: str = ""


@dataclass(frozen=True)
class Result:
    """What a step found (`values`, plain JSON) and which gates it did not pass."""

    values: Mapping[str, Any]
    failures: tuple[Failure, ...] = ()


class Refused(Exception):
    """The input is not what it claims to be, so nothing was done; `what` is one sentence."""

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step


def read_request(path: Path) -> Request:
    """Read a request file; raises Unreadable where it is not what this payload understands."""
    return from_json(Request, json.loads(path.read_text(encoding="utf-8")))


def read_options(kind: type[Value], request: Request) -> Value:
    """The request's options as a value of a dataclass; `Refused` names an option that the step does not have."""
    try:
        return from_json(kind, request.options)
    except Unreadable as cause:
        raise Refused(
            f"The option {cause.path!r} of {request.step} {cause.problem}.",
            next_step=f"Its options are: {', '.join(keys_of(kind)) or 'none'}.",
        ) from cause


class Events:
    """Writes events as JSON lines to the stream that standard output was.

    File descriptor 1 is pointed at standard error, so that what native libraries print cannot be read as an event.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)

    def progress(self, label: str, done: float, total: float) -> None:
        """Say how far the named part of the step is, in units of its own."""
        self._emit(Progress(label, done, total))

    def note(self, text: str) -> None:
        """Say something that a user wants to read once."""
        self._emit(Note(text))

    def refused(self, refusal: Refused) -> None:
        """Say why the input was not taken; the last event of the step."""
        self._emit(Refusal(refusal.what, refusal.why, refusal.next_step))

    def result(self, result: StepFindings | Result) -> None:
        """Hand over the findings; the last event of the step."""
        self._emit(result if isinstance(result, StepFindings) else _untyped(result))

    def _emit(self, event: Progress | Note | Refusal | StepFindings | dict[str, Any]) -> None:
        # allow_nan stays off: NaN is not JSON, and a step that has one must name it instead.
        self._stream.write(json.dumps(to_json(event), allow_nan=False) + "\n")
        self._stream.flush()


def _untyped(result: Result) -> dict[str, Any]:
    gates = tuple(
        Gate(each.name, "", passed=False, message=each.message, next=each.next_step) for each in result.failures
    )
    values = {key: value for key, value in result.values.items() if key != "files"}
    return {"event": "result", "values": values, "gates": gates, "files": result.values.get("files", {})}
