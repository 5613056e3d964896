"""Make the page of a run: what a reader wants to see of it, in one HTML file that needs nothing else."""

from __future__ import annotations

import json
from typing import Any

from ..contract import Request
from ..protocol import Events, Refused, Result
from ..reporting.page import render

PAGE = "report.html"
LARGEST = 64 << 20
"""Of an input in bytes; the details of a run are a few hundred thousand."""


def run(request: Request, events: Events) -> Result:
    """`inputs["document"]` is what `--json` prints; `details`, `samples` and `about`, if given, see `reporting.page`.

    Hands on `page`. `Refused`: an input that is no JSON document of a run.
    """
    events.progress("page", 0, 1)
    given = {name: _read(request, name) for name in ("document", "details", "samples", "about")}
    document = given.pop("document")
    if document is None:
        raise Refused("There is no document to make a page of.")
    page = render(document, **given).encode("utf-8", errors="backslashreplace")
    (request.folder / PAGE).write_bytes(page)
    events.progress("page", 1, 1)
    return Result({"files": {"page": PAGE}, "bytes": len(page)})


def _read(request: Request, name: str) -> Any:
    if not request.files(name):
        return None
    path = request.file(name)
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError) as cause:
        raise Refused(f"The {name} of the run cannot be read.", why=str(cause)) from cause
    return found
