"""What the steps `verify` and `web` find: what the runtimes of the user's make of the original and of the copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from .roads import RoadRun
from .verifying import CallTimes, Measures, SampleSize

OTHER = "other"
"""What a file of no kind is called in results."""


@dataclass(frozen=True)
class VerifyFindings:
    """The copy beside the original; where it was not `verified`, `reason` says why.

    `noise` is what invisible noise alone does to the original's answer. The figures are those of the road `cpu`;
    `roads` has what every road made of both that was asked for, that one too.
    """

    verified: bool
    kind: str
    mediapipe: str
    reason: str = ""
    sample_size: Optional[SampleSize] = None
    measures: Optional[Measures] = None
    noise: Optional[Measures] = None
    latency: Optional[CallTimes] = None
    roads: tuple[RoadRun, ...] = ()
    step: Literal["verify"] = "verify"


@dataclass(frozen=True)
class WebFindings:
    """Every road of the web that was asked for; `browser` is the program, empty if there is none, and its `version`."""

    kind: str
    browser: str
    roads: tuple[RoadRun, ...]
    version: str = ""
    step: Literal["web"] = "web"
