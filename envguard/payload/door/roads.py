"""Roads, a runtime and the processor that it uses: which there are, and what was found out of a model on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Optional

from .comparing import OutputDifference
from .verifying import CallTimes, Measures, SampleSize

CPU, GPU, WEB_CPU, WEB_GPU = "cpu", "gpu", "web-cpu", "web-gpu"
ROADS = (CPU, GPU, WEB_CPU, WEB_GPU)
"""MediaPipe or LiteRT with XNNPACK; MediaPipe's GPU delegate; WASM and WebGL in a browser."""

ANYWHERE = "anywhere"
TARGETS: Mapping[str, tuple[str, ...]] = {CPU: (CPU,), GPU: (GPU,), "web": (WEB_CPU, WEB_GPU), ANYWHERE: ROADS}
"""What a file can be made for, and the roads that each name stands for."""


@dataclass(frozen=True)
class RefusedOperator:
    """So many operators of one kind that a road's runtime refuses, and why, in the runtime's own words."""

    operator: str
    count: int
    reason: str


@dataclass(frozen=True)
class RoadLint:
    """What rules say of one model on one road, without running it; `unknown` where no rule knows an operator."""

    road: str
    verdict: Literal["taken", "refused", "unknown"]
    refused: tuple[RefusedOperator, ...] = ()


@dataclass(frozen=True)
class RoadRun:
    """What one road made of the original and the copy, the copy judged against the original on that same road.

    Where it was not `ran`, or either of the two was not taken, `reason` says why; what a runtime said is kept
    literally. `runtime` names the runtime with its version and what drew: a GPU or software.
    `outputs` are those of models that no task runs.
    """

    road: str
    ran: bool
    runtime: str = ""
    reason: str = ""
    original_taken: Optional[bool] = None
    copy_taken: Optional[bool] = None
    sample_size: Optional[SampleSize] = None
    measures: Optional[Measures] = None
    noise: Optional[Measures] = None
    latency: Optional[CallTimes] = None
    outputs: tuple[OutputDifference, ...] = ()


@dataclass(frozen=True)
class RoadReport:
    """What is known of the copy on one road: what `run` found there, and what the rules say without running it.

    `basis` is the better of what there is: `run`, or else `lint`, or `nothing`. What the rules say of a file is what
    they say of its models together.
    """

    road: str
    basis: Literal["run", "lint", "nothing"]
    run: Optional[RoadRun] = None
    lint: Optional[RoadLint] = None

    @property
    def taken(self) -> Optional[bool]:
        """Whether the road takes the copy; None where nobody knows, or where it does not take the original either."""
        if self.run is not None and self.run.ran:
            return self.run.copy_taken
        known = self.lint is not None and self.lint.verdict != "unknown"
        return self.lint.verdict == "taken" if known and self.lint is not None else None


def road_reports(runs: Sequence[RoadRun], lints: Sequence[Sequence[RoadLint]]) -> tuple[RoadReport, ...]:
    """What is known of each road; `lints` are those of each model, road by road."""
    by_road = {run.road: run for run in runs}
    reports = []
    for road in ROADS:
        run, lint = by_road.get(road), _together(road, [each for model in lints for each in model if each.road == road])
        ran = run is not None and run.ran
        reports.append(RoadReport(road, "run" if ran else "lint" if lint else "nothing", run, lint))
    return tuple(reports)


def _together(road: str, lints: Sequence[RoadLint]) -> Optional[RoadLint]:
    """What is said of all models of a file: refused where one is, unknown where nothing worse is known of one."""
    if not lints:
        return None
    refused = tuple(operator for lint in lints for operator in lint.refused)
    verdicts = {lint.verdict for lint in lints}
    worst = next(verdict for verdict in ("refused", "unknown", "taken") if verdict in verdicts)
    return RoadLint(road, worst, refused)
