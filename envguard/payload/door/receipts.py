"""The document of `envguard verify-receipt`: the files of a receipt as they are, and what doing its run again gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Optional


@dataclass(frozen=True)
class ReceiptedFile:
    """A file that a receipt names: whether it has the recorded bytes, other ones, or is not there."""

    name: str
    file: str
    state: Literal["match", "diff", "missing"]


@dataclass(frozen=True)
class ToolchainDifference:
    """A part of the toolchain that is not what the receipt recorded."""

    what: str
    recorded: str
    found: str


@dataclass(frozen=True)
class RebuiltOutputs:
    """What doing the run again gave; `failure` says why there is no output."""

    outputs: tuple[ReceiptedFile, ...]
    differences: tuple[ToolchainDifference, ...]
    failure: str


@dataclass(frozen=True)
class ReceiptDocument:
    """Whether what a receipt says of the run of a task at a date is true.

    It is `intact` if it is as it was written: its seal is the hash of its content. `recorded` is the verdict of a run
    that nobody got an output of, `depends_on` those of the tasks before it by their names.
    """

    verdict: Literal["MATCH", "DIFF", "TOOLCHAIN DIFFERS"]
    task: str
    date: str
    outputs: tuple[ReceiptedFile, ...]
    inputs: tuple[ReceiptedFile, ...]
    rebuilt: Optional[RebuiltOutputs]
    intact: bool
    recorded: str = ""
    depends_on: Mapping[str, str] = field(default_factory=dict)
    schema: Literal[2] = 2
