"""What the step `web` finds: what a browser makes of the original and of the copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .roads import RoadRun


@dataclass(frozen=True)
class WebFindings:
    """Every road of the web that was asked for; `browser` is the program that was run, empty if there is none."""

    kind: str
    browser: str
    roads: tuple[RoadRun, ...]
    step: Literal["web"] = "web"
