"""Read the request of a step, and write its events, its findings, or its refusal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from .contract import (
    Note,
    Progress,
    Refusal,
    Request,
    StepEvent,
    StepFindings,
    Unreadable,
    from_json,
    keys_of,
    to_json,
)

Value = TypeVar("Value")


class Refused(Exception):
    """The input is not what it claims to be, so nothing was done; `what` is one sentence."""

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step


def read_request(path: Path) -> Request:
    """Read a request file; raises Unreadable if this payload does not understand it."""
    return from_json(Request, json.loads(path.read_text(encoding="utf-8")))


def read_options(kind: type[Value], request: Request, limits: Collection[str] = ()) -> Value:
    """The request's options as a dataclass; raises Refused, naming the option, if the step does not have it.

    `gates.limits_of` reads the options that set `limits`.
    """
    try:
        return from_json(kind, {name: value for name, value in request.options.items() if name not in limits})
    except Unreadable as cause:
        raise Refused(
            f"The option {cause.path!r} of {request.step} {cause.problem}.",
            next_step=f"Its options are: {', '.join((*keys_of(kind), *limits)) or 'none'}.",
        ) from cause


class Events:
    """Writes events as JSON lines to the original standard output.

    File descriptor 1 then leads to standard error, so that nothing that native libraries print is taken for an event.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)

    def progress(self, label: str, done: float, total: float) -> None:
        """Report how far a part of the step is, in units of its own."""
        self._emit(Progress(label, done, total))

    def note(self, text: str) -> None:
        """Tell the user something once."""
        self._emit(Note(text))

    def refused(self, refusal: Refused) -> None:
        """Say why the input was refused; the last event of the step."""
        self._emit(Refusal(refusal.what, refusal.why, refusal.next_step))

    def result(self, result: StepFindings) -> None:
        """Hand over the findings; the last event of the step."""
        self._emit(result)

    def _emit(self, event: StepEvent) -> None:
        # JSON has no NaN: a step that measures one must say so in words.
        self._stream.write(json.dumps(to_json(event), allow_nan=False) + "\n")
        self._stream.flush()
