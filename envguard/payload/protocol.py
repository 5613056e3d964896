"""What a step is told and what it may say: the request, its events, its result, its refusal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROTOCOL = 1


@dataclass(frozen=True)
class Request:
    """One step's order.

    `inputs` are files to read and never to write; `folder` is a scratch folder that the steps of one run share;
    `results` holds the values of the earlier steps, by step name.
    """

    step: str
    inputs: Mapping[str, Path]
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Request:
        """Read a request file; raises ValueError for another protocol version."""
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("protocol") != PROTOCOL:
            raise ValueError(f"request has protocol {document.get('protocol')!r}, this payload speaks {PROTOCOL}")
        return cls(
            step=document["step"],
            inputs={name: Path(value) for name, value in document["inputs"].items()},
            folder=Path(document["folder"]),
            options=document["options"],
            results=document["results"],
        )


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
        self._emit(event="progress", label=label, done=done, total=total)

    def note(self, text: str) -> None:
        """Say something that a user wants to read once."""
        self._emit(event="note", text=text)

    def refused(self, refusal: Refused) -> None:
        """Say why the input was not taken; the last event of the step."""
        self._emit(event="refused", what=refusal.what, why=refusal.why, next=refusal.next_step)

    def result(self, result: Result) -> None:
        """Hand over the result; the last event of the step."""
        failures = [
            {"name": failure.name, "message": failure.message, "next": failure.next_step} for failure in result.failures
        ]
        self._emit(event="result", values=dict(result.values), failures=failures)

    def _emit(self, **event: object) -> None:
        # allow_nan stays off: NaN is not JSON, and a step that has one must name it instead.
        self._stream.write(json.dumps(event, allow_nan=False) + "\n")
        self._stream.flush()
