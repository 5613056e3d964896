"""What a step is told, and what it says while it works and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Optional, TypeVar, Union

from .checking import AuditFindings, BillFindings, CheckFindings
from .codec import Json
from .comparing import CompareFindings
from .describing import CalibrateFindings, InspectFindings
from .gates import Gate
from .quantizing import ConvertFindings, PageFindings, QuantizeFindings
from .tuning import TuneFindings
from .verified import VerifyFindings, WebFindings

PROTOCOL = 2

Findings = Union[
    AuditFindings,
    BillFindings,
    CalibrateFindings,
    CheckFindings,
    CompareFindings,
    ConvertFindings,
    InspectFindings,
    PageFindings,
    QuantizeFindings,
    TuneFindings,
    VerifyFindings,
    WebFindings,
]
"""What the steps find; their field `step` tells them apart."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class RefusedAttempt:
    """What a step made that was not taken: what it found, and the `gates` that refused it, its own or later ones."""

    step: str
    gates: tuple[Gate, ...]
    findings: Optional[Findings] = None


@dataclass(frozen=True)
class Request:
    """One step's order.

    `step` is what runs (`steps.NAME` or `checks.NAME`). `inputs` are paths of files to read and never to write;
    `folder` is the step's own, to work in; `options` are the catalog's and the user's, which the step reads into a type
    of its own, and `chosen` names those that are the user's; `findings` are those of the earlier steps, by step name.

    `refused` is what this very step made before in the same run, in order; the files of the last of these are inputs
    too, as `refused:NAME`. `attempts_left` says how often it may be run again after this.
    """

    step: str
    inputs: Mapping[str, tuple[Path, ...]]
    folder: Path
    options: Mapping[str, Json] = field(default_factory=dict)
    findings: Mapping[str, Findings] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    refused: tuple[RefusedAttempt, ...] = ()
    attempts_left: int = 0
    protocol: Literal[2] = 2

    def file(self, name: str) -> Path:
        """The one file of an input; raises KeyError if there is no such input, ValueError if it has several files."""
        (path,) = self.inputs[name]
        return path

    def files(self, name: str) -> tuple[Path, ...]:
        """The files of an input; none if it was not given."""
        return self.inputs.get(name, ())

    def found(self, kind: type[Found]) -> Found:
        """What the last earlier step with findings of that type found; raises LookupError if there is none."""
        for findings in reversed(tuple(self.findings.values())):
            if isinstance(findings, kind):
                return findings
        raise LookupError(f"no earlier step handed over {kind.__name__}")


@dataclass(frozen=True)
class Progress:
    """The named part of a step is `done` of `total`, in units of its own."""

    label: str
    done: float
    total: float
    event: Literal["progress"] = "progress"


@dataclass(frozen=True)
class Note:
    """Something that a user wants to read once."""

    text: str
    event: Literal["note"] = "note"


@dataclass(frozen=True)
class Refusal:
    """The input was not taken, and nothing was done; the last event of its step."""

    what: str
    why: str = ""
    next: str = ""
    event: Literal["refused"] = "refused"


@dataclass(frozen=True)
class StepFindings:
    """What a step hands over, the last event of one that did its work.

    `files` are names of files in its folder by the names that references know them by; `values` is what it found,
    `gates` what it judged, those that are passed too. It is `final` if the step has nothing else to offer: a step that
    is run again and has nothing new hands over neither values nor files.
    """

    values: Optional[Findings] = None
    gates: tuple[Gate, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    final: bool = False
    event: Literal["result"] = "result"

    @property
    def failures(self) -> tuple[Gate, ...]:
        """The gates that were measured and not passed."""
        return tuple(gate for gate in self.gates if gate.failed)


StepEvent = Union[Progress, Note, Refusal, StepFindings]
