"""The record of a run: what went in and came out, what every step found and judged, and where it ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Optional, TypeVar

from .codec import Json
from .gates import Gate, StepFailure
from .requests import Findings, RefusedAttempt

YES, NO, UNVERIFIED = "yes", "no", "unverified"

Found = TypeVar("Found")


@dataclass(frozen=True)
class FileRecord:
    """A file's path, size in bytes and SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ProofRecord:
    """What was installed where, what ran, when (RFC 3339, UTC), for how many seconds, and what it found.

    `emulated` names what stood in for the processor, and is empty on a real machine.
    """

    lock: str
    python: str
    platform: str
    libc: str
    date: str
    check: str
    seconds: float
    found: Mapping[str, Json] = field(default_factory=dict)
    result: str = "works"
    reason: str = ""
    os_version: str = ""
    emulated: str = ""


@dataclass(frozen=True)
class FailedCandidate:
    """An environment that was tried before and failed its check."""

    what: str
    why: str


@dataclass(frozen=True)
class EnvironmentRecord:
    """An environment that a run used: its lock, what it stands on, and the proof that it works.

    `frozen` says how the lock differed from what the catalog asked for, in a run with --frozen; else it is empty.
    """

    name: str
    edition: str
    python: str
    interpreter: str
    backend: str
    base: Optional[str]
    lock: str
    folder: str
    built_now: bool
    proof: ProofRecord
    failed_before: tuple[FailedCandidate, ...] = ()
    frozen: str = ""


@dataclass(frozen=True)
class StepRecord:
    """A step that ran: `run` is what (empty for a command), then SHA-256 of its files, and what it found.

    One that was `reused` is what it came to at that date (RFC 3339, UTC), and took then.
    """

    name: str
    run: str
    environment: str
    seconds: float
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    findings: Optional[Findings] = None
    reused: str = ""


@dataclass(frozen=True)
class Run:
    """A run of any task. The verdict is `yes` where every gate was passed, `no` where one failed, else `unverified`.

    There are outputs where it is `yes`, or `unverified` and the user allowed that (`allow_unverified`).

    `inputs` are the user's files by the task's names for them, `file_sets` those of inputs that take several.
    `refused` is what was made and not taken before, in order: `steps` and `gates` are those of what was made last.
    `envguard` is the version that ran it, `date` the moment (RFC 3339, UTC); `receipt` is where the receipt lies or is
    to lie.
    """

    task: str
    verdict: str
    envguard: str
    date: str
    inputs: Mapping[str, FileRecord]
    outputs: Mapping[str, FileRecord]
    steps: tuple[StepRecord, ...]
    gates: tuple[Gate, ...]
    environments: tuple[EnvironmentRecord, ...]
    file_sets: Mapping[str, tuple[FileRecord, ...]] = field(default_factory=dict)
    refused: tuple[RefusedAttempt, ...] = ()
    receipt: Optional[str] = None
    allow_unverified: bool = False
    schema: Literal[2] = 2

    @property
    def failures(self) -> tuple[StepFailure, ...]:
        """The gates that were not passed, without those that the user waived."""
        return tuple(
            StepFailure(gate.step, gate.name, gate.message, gate.next, gate.judged)
            for gate in self.gates
            if not (gate.passed or gate.waived)
        )

    def found(self, kind: type[Found]) -> Optional[Found]:
        """What the last step with findings of that type found; None if there was none."""
        return next((step.findings for step in reversed(self.steps) if isinstance(step.findings, kind)), None)


def verdict_of(gates: Sequence[Gate]) -> str:
    """The verdict that the gates of a run come to."""
    if any(gate.failed for gate in gates):
        return NO
    return YES if all(gate.passed or gate.waived for gate in gates) else UNVERIFIED


def settled(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """The gates in order; a later one of the same name and subject replaces one that could not be judged."""
    found: dict[tuple[str, str], Gate] = {}
    every: list[Gate] = []
    for gate in gates:
        before = found.get((gate.name, gate.subject))
        if before is not None and not before.judged:
            every[every.index(before)] = gate
        else:
            every.append(gate)
        found[gate.name, gate.subject] = gate
    return tuple(every)
