"""The document that `--json` prints of the task that verifies a file which exists already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from .describing import InspectFindings
from .documents import StepSeconds, road_runs, seconds_of
from .gates import Gate, StepFailure
from .roads import RoadReport, road_reports
from .runs import EnvironmentRecord, FileRecord, Run
from .verified import VerifyFindings


@dataclass(frozen=True)
class VerifyDocument:
    """What a file that existed already came to on the roads that were asked for.

    `original` is what it was judged against; without one it is only known whether a road takes the file and finds
    anything with it.
    """

    task: str
    verdict: str
    failures: tuple[StepFailure, ...]
    gates: tuple[Gate, ...]
    input: FileRecord
    original: Optional[FileRecord]
    kind: str
    roads: tuple[RoadReport, ...]
    environments: tuple[EnvironmentRecord, ...]
    steps: tuple[StepSeconds, ...]
    schema: Literal[2] = 2


def verify_document(run: Run) -> VerifyDocument:
    """The document of a run of the task that verifies; raises ValueError where nothing was verified."""
    inspected, verify = run.found(InspectFindings), run.found(VerifyFindings)
    if inspected is None or verify is None:
        raise ValueError("the run has verified nothing")
    return VerifyDocument(
        task=run.task,
        verdict=run.verdict,
        failures=run.failures,
        gates=run.gates,
        input=next(iter(run.inputs.values())),
        original=next(iter(run.file_sets.get("original", ())), None),
        kind=verify.kind,
        roads=road_reports(road_runs(run), [model.roads for model in inspected.models]),
        environments=run.environments,
        steps=seconds_of(run),
    )
