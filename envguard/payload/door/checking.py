"""What the check of an environment finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .codec import Json


@dataclass(frozen=True)
class CheckFindings:
    """Facts that a proof keeps, each check its own: versions, counts, sizes."""

    facts: Mapping[str, Json] = field(default_factory=dict)
    step: Literal["check"] = "check"
