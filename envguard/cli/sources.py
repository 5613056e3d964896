"""The files that a user names, by path or as a sample, and the receipt that lies beside what was made of them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import CommandStep, Task
from envguard.errors import BrokenData
from envguard.files import write_output
from envguard.payload.door.references import TASK, Reference
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import TaskResult
from envguard.running.receipt import make_receipt
from envguard.running.receipts.reading import read_receipt
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
    """Write the receipt of a run where its order says; one that should have made an output and did not leaves none.

    Where a task that it depends on said no, the receipt is of that one.
    """
    if order.receipt is None or (order.task.outputs and not result.outputs):
        return None
    ran = order if result.order.task == order.task else result.order
    write_output(order.receipt, make_receipt(ran, result, samples).text().encode())
    return order.receipt


def takes_folder(task: Task, name: str) -> bool:
    """Whether an input may be a folder: only commands can do with one."""
    reference = Reference(TASK, name)
    return all(isinstance(step, CommandStep) for step in task.steps if reference in step.inputs.values())


def folders_made_before(receipt: Path) -> frozenset[str]:
    """The hashes of the folders that the run of this receipt made; none where there is no receipt that can be read."""
    if not receipt.is_file():
        return frozenset()
    with contextlib.suppress(BrokenData):
        return frozenset(each.sha256 for each in read_receipt(receipt).outputs.values() if each.is_folder)
    return frozenset()
