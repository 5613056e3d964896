"""The proof of the environment `sbom`: both documents of a made-up bill are whole, and the same twice."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import version

from ..contract import Bill, BilledPackage, CheckFindings, Json, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events

PACKAGES = {"cyclonedx": "cyclonedx-python-lib", "spdx": "spdx-tools"}
FAILS = GateDeclaration("bill-fails", "A bill is written in each format", "{subject} cannot be written: {cause}")
DIFFERS = GateDeclaration("bill-differs", "The same bill twice", "{subject} differs from one time to the next.")
LACKING = GateDeclaration("bill-lacks", "The hashes of all packages are in it", "{subject} lacks packages.")

BILL = Bill(
    "example", "1", "3.11.7", "linux-x86_64", "0" * 64, "2026-01-01T00:00:00Z", "1", ("lead",),
    (
        BilledPackage("lead", "1.0", "pypi", "SHA-256", "a" * 64, "MIT OR Apache-2.0", ("inner", "mine")),
        BilledPackage("inner", "2.0+cpu", "pypi", "SHA-256", "b" * 64, "A license of its own, with (a bracket"),
        BilledPackage("mine", "3", "project", "SHA-256", "c" * 64),
        BilledPackage("@scope/part", "4.0.0", "npm", "SHA-512", "d" * 128),
    ),
)  # fmt: skip


def run(request: Request, events: Events) -> StepFindings:
    """Write the bill in each format, twice."""
    gates = []
    for form in PACKAGES:
        try:
            writer = importlib.import_module(f"..bills.{form}", __package__)
            first, second = writer.document(BILL), writer.document(BILL)
            json.loads(first)
        except Exception as cause:  # whatever a library raises that does not work with this Python
            gates.append(judge(FAILS, passed=False, subject=form, words={"cause": f"{type(cause).__name__}: {cause}"}))
            continue
        gates.append(judge(FAILS, passed=True, subject=form))
        gates.append(judge(DIFFERS, passed=first == second, subject=form))
        whole = all(each.digest in first for each in BILL.packages)
        gates.append(judge(LACKING, passed=whole, subject=form))
    works = all(gate.passed for gate in gates)
    facts: dict[str, Json] = {"works": works, "versions": {name: version(name) for name in PACKAGES.values()}}
    return StepFindings(CheckFindings(facts), tuple(gates))
