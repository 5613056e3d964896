"""Is B slower than A, on a machine that does other things too?

Both run in one process, in turns (A B, B A, A B, ...), so that what slows the machine slows both. The answer is the
ratio of medians with a bootstrap interval. Rounds are added, within a budget, until the interval is narrow and any
ratio past the limit has been confirmed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], None]

WARM_UP = 5
ROUNDS = 40
ATTEMPTS = 5
"""How often rounds are added, each time twice as many as before."""

NARROW = 0.05
"""Largest distance of the interval's ends from the ratio at which no more rounds are needed."""

LEAST_SAMPLE_SECONDS = 0.001
"""Shorter calls are timed several at once, because the clock and Python's own overhead blur them."""

LEAST_MILLISECONDS = 0.02
"""Differences below this are no failure: a model of a few operators takes no longer than calling it does."""

FIRST_SECONDS = 1.5
"""For the first rounds; slow models get fewer of them, but never fewer than `LEAST_ROUNDS`."""

ALL_SECONDS = 3.0
"""No rounds are added once this much time was spent."""

LEAST_ROUNDS = 8
RESAMPLES = 2_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """Medians in milliseconds; `ratio` is B over A, and lies in `low`..`high` with 95 % confidence."""

    original_ms: float
    quantized_ms: float
    original_spread_ms: float
    quantized_spread_ms: float
    ratio: float
    low: float
    high: float
    rounds: int

    @property
    def differs(self) -> bool:
        """Whether the two can be told apart at all."""
        return self.low > 1.0 or self.high < 1.0

    @property
    def is_narrow(self) -> bool:
        """Whether more rounds would hardly change the ratio."""
        return max(self.high - self.ratio, self.ratio - self.low) <= NARROW

    def is_slower_than(self, limit: float) -> bool:
        """Whether B is past the limit, and this is neither an accident of the measurement nor next to nothing."""
        matters = self.quantized_ms - self.original_ms > LEAST_MILLISECONDS
        return self.ratio > limit and self.low > 1.0 and matters

    def in_words(self) -> str:
        """The ratio as a sentence that claims no more than was measured."""
        if not self.differs:
            return f"no difference that this measurement can tell ({self.ratio:.2f}, {self.low:.2f} to {self.high:.2f})"
        word = "slower" if self.ratio > 1.0 else "faster"
        return f"{word}: {self.ratio:.2f} of the original's time ({self.low:.2f} to {self.high:.2f})"

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON; spreads are interquartile ranges."""
        return {
            "original_ms": self.original_ms,
            "quantized_ms": self.quantized_ms,
            "original_iqr_ms": self.original_spread_ms,
            "quantized_iqr_ms": self.quantized_spread_ms,
            "ratio": self.ratio,
            "low": self.low,
            "high": self.high,
            "rounds": self.rounds,
            "verdict": self.in_words(),
        }


def compare(original: Call, quantized: Call, limit: float | None = None) -> Comparison:
    """Time both; a ratio past the limit is measured again with more rounds before it is believed."""
    for _ in range(WARM_UP):
        original()
        quantized()
    rounds, repeats = _plan(original, quantized)
    samples = np.empty((0, 2))
    start = time.perf_counter()
    for attempt in range(ATTEMPTS):
        samples = np.concatenate([samples, _sample(original, quantized, rounds << attempt, repeats)])
        outcome = _summarise(samples)
        suspected = limit is not None and outcome.is_slower_than(limit)
        if (outcome.is_narrow and not suspected) or time.perf_counter() - start > ALL_SECONDS:
            break
    return outcome


def _plan(original: Call, quantized: Call) -> tuple[int, int]:
    """How many rounds fit the budget, and how many calls make one sample."""
    once = min(_timed(original, 1), _timed(quantized, 1))
    repeats = max(1, int(np.ceil(LEAST_SAMPLE_SECONDS / once)))
    fitting = int(FIRST_SECONDS / (2 * repeats * once))
    return min(ROUNDS, max(LEAST_ROUNDS, fitting)), repeats


def _sample(original: Call, quantized: Call, rounds: int, repeats: int) -> np.ndarray:
    """Seconds per call, one row of (A, B) per round; every second round starts with B."""
    samples = np.empty((rounds, 2))
    for index in range(rounds):
        order = (0, 1) if index % 2 == 0 else (1, 0)
        for which in order:
            samples[index, which] = _timed((original, quantized)[which], repeats) / repeats
    return samples


def _timed(call: Call, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


def _summarise(samples: np.ndarray) -> Comparison:
    medians = np.median(samples, axis=0)
    lower, upper = np.percentile(samples, (25, 75), axis=0)
    # Rounds are resampled whole, so that a slow moment stays with both of its timings.
    random = np.random.default_rng(0)
    picks = random.integers(0, len(samples), (RESAMPLES, len(samples)))
    resampled = np.median(samples[picks], axis=1)
    ratios = resampled[:, 1] / resampled[:, 0]
    low, high = np.quantile(ratios, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    spread = (upper - lower) * 1e3
    return Comparison(
        original_ms=float(medians[0] * 1e3),
        quantized_ms=float(medians[1] * 1e3),
        original_spread_ms=float(spread[0]),
        quantized_spread_ms=float(spread[1]),
        ratio=float(medians[1] / medians[0]),
        low=float(low),
        high=float(high),
        rounds=len(samples),
    )
