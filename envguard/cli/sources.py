"""The files that a user names, by path or as a sample, and the receipt that lies beside what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envguard.files import write_output
from envguard.payload.door.references import Reference
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import TaskResult
from envguard.running.receipt import make_receipt
from envguard.running.task_order import TaskOrder
from envguard.table_reader import unknown_name

SAMPLE = "sample:"


def named_source(value: str, workshop: Workshop) -> Path:
    """The file that the user named, or the one of a sample with one file."""
    if not value.startswith(SAMPLE):
        return Path(value).expanduser()
    name = value.removeprefix(SAMPLE)
    samples = workshop.catalog.samples
    single = [each for each, sample in samples.items() if len(sample.files) == 1]
    if name not in single:
        raise unknown_name("There is no sample file", name, single)
    return next(iter(workshop.sample(name).values()))


def sample_of(inputs: Mapping[str, str]) -> dict[str, Reference]:
    """Those inputs that were named as samples, for the receipt."""
    return {name: Reference.parse(value) for name, value in inputs.items() if value.startswith(SAMPLE)}


def leave_receipt(order: TaskOrder, result: TaskResult, samples: Mapping[str, Reference]) -> Path | None:
    """Write the receipt of a run where its order says; a run without an output leaves none."""
    if not result.outputs or order.receipt is None:
        return None
    write_output(order.receipt, make_receipt(order, result, samples).text().encode())
    return order.receipt
