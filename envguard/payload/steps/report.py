"""Make the page of a run: what a reader wants to see of it, in one HTML file that needs nothing else."""

from __future__ import annotations

import json
from typing import TypeVar

from ..contract import ModelRounds, PageFindings, Request, Run, StepFindings, Unreadable, VerifyDetails, from_json
from ..protocol import Events, Refused
from ..reporting.page import PageContents, render

PAGE = "report.html"
LARGEST = 64 << 20
"""Of an input in bytes; the details of a run are a few hundred thousand."""

Value = TypeVar("Value")


def run(request: Request, events: Events) -> StepFindings:
    """Make the page of the run that `inputs["document"]` is the record of.

    `details` and `samples`, if given, are what the steps `verify` and `compare` hand on. Hands on `page`. `Refused`: an
    input that is not what it should be, a run without an input.
    """
    events.progress("page", 0, 1)
    document = _read(request, "document", Run)
    if document is None or not document.inputs:
        raise Refused("There is no run to make a page of.")
    samples = _read(request, "samples", dict[str, ModelRounds])
    page = render(PageContents(document, _read(request, "details", VerifyDetails), samples or {}))
    data = page.encode("utf-8", errors="backslashreplace")
    (request.folder / PAGE).write_bytes(data)
    events.progress("page", 1, 1)
    return StepFindings(PageFindings(len(data)), files={"page": PAGE})


def _read(request: Request, name: str, kind: type[Value]) -> Value | None:
    """The input of that name; None if it was not given."""
    if not request.files(name):
        return None
    path = request.file(name)
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        return from_json(kind, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as cause:
        why = f"{cause.path or 'it'} {cause.problem}" if isinstance(cause, Unreadable) else str(cause)
        raise Refused(f"The {name} of the run cannot be read.", why=why) from cause
