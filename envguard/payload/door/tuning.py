"""What the step `tune` finds: what each runtime option is worth and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional, Union

from .timing import Processor

Setting = Union[bool, int, float, str]


@dataclass(frozen=True)
class FrameTimes:
    """Milliseconds per frame of the defaults and of a setting, in turns; spreads are interquartile ranges."""

    before_ms: float
    after_ms: float
    before_iqr_ms: float
    after_iqr_ms: float
    ratio: float
    low: float
    high: float
    rounds: int
    interrupted: int


@dataclass(frozen=True)
class FoundCounts:
    """How much is found with the defaults and with a setting; `fewer` is by how much the numbers of frames fall."""

    frames: int
    before: int
    after: int
    lost: int
    extra: int
    fewer: int


@dataclass(frozen=True)
class OptionTrial:
    """One option set to `value`, both sides under the `others`; `verdict` is faster, slower, same or unclear."""

    option: str
    value: Setting
    others: Mapping[str, Setting]
    verdict: str
    time: FrameTimes
    found: FoundCounts


@dataclass(frozen=True)
class TunedOn:
    """How many pictures there were, parts of them that were looked at, and how many of those were timed."""

    pictures: int
    views: int
    timed: int


@dataclass(frozen=True)
class TuneFindings:
    """Every option that was tried; `control` is the defaults against themselves, `together` all that gain at once."""

    kind: str
    mediapipe: str
    defaults: Mapping[str, Setting]
    control: FrameTimes
    trials: tuple[OptionTrial, ...]
    advice: Mapping[str, Setting]
    together: Optional[OptionTrial]
    thread_options: tuple[str, ...]
    cpu: Processor
    processors: int
    sample_size: TunedOn
    step: Literal["tune"] = "tune"
