"""Times: what was measured, and the machine that it was measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Processor:
    """The architecture, the processor's own name if the system tells, and its vector extensions."""

    architecture: str
    name: str
    vectors: tuple[str, ...]


@dataclass(frozen=True)
class Timing:
    """Two models in turns: medians and interquartile ranges in milliseconds.

    `ratio` is the quantized one's time to the original's, and lies in `low`..`high` with 95 % confidence;
    `fastest_ratio` is that of the fastest calls, `paired_ratio` the median of the ratios of each round. Of the
    `rounds`, `interrupted` ones count for nothing. `verdict` says no more than was measured.
    """

    original_ms: float
    quantized_ms: float
    original_iqr_ms: float
    quantized_iqr_ms: float
    ratio: float
    low: float
    high: float
    fastest_ratio: float
    paired_ratio: float
    rounds: int
    interrupted: int
    differs: bool
    too_busy: bool
    verdict: str
    threads: Optional[int] = None


@dataclass(frozen=True)
class KindTime:
    """All operators of a kind: how many, their milliseconds, and the share of the whole run."""

    kind: str
    operators: int
    ms: float
    share: float


@dataclass(frozen=True)
class SlowOperator:
    """One operator by its place in the order of running, its milliseconds, and the share of the whole run."""

    place: int
    operator: str
    ms: float
    share: float


@dataclass(frozen=True)
class TimeBetween:
    """What no operator accounts for: the runtime's own work, and operators faster than the profiler's microsecond."""

    ms: float
    share: float


@dataclass(frozen=True)
class OperatorTimes:
    """Where one model's time goes on one thread: by kind with the slowest first, then the slowest operators."""

    ms: float
    kinds: tuple[KindTime, ...]
    slowest: tuple[SlowOperator, ...]
    between: TimeBetween


@dataclass(frozen=True)
class Profile:
    """Where the time of both models goes, and what measured it."""

    measured_by: str
    original: OperatorTimes
    quantized: OperatorTimes
