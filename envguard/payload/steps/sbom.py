"""Write the bill of materials of an environment, in the format that is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Literal

from ..contract import Bill, BillFindings, Request, StepFindings
from ..protocol import Events, read_options

DOCUMENT = "bill.json"


@dataclass(frozen=True)
class BillOptions:
    """The bill, and the format."""

    bill: Bill
    form: Literal["cyclonedx", "spdx"]


def run(request: Request, events: Events) -> StepFindings:
    """Write the document; hands on `bill`."""
    events.progress("bill of materials", 0, 1)
    options = read_options(BillOptions, request)
    writer = importlib.import_module(f"..bills.{options.form}", __package__)  # each brings a library of its own
    data = writer.document(options.bill).encode()
    (request.folder / DOCUMENT).write_bytes(data)
    events.progress("bill of materials", 1, 1)
    return StepFindings(BillFindings(len(data)), files={"bill": DOCUMENT})
