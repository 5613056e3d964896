"""Roads, a runtime and the processor that it uses: which there are, and what was found out of a model on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional

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
