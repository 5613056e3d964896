"""Is B slower than A, on a machine that does other things too?

Both run in one process, in turns (A B, B A, A B, ...), so that what slows the machine slows both. The answer is the
ratio of medians with a bootstrap interval. Rounds that were interrupted do not count. Rounds are added, within a
budget, until the interval is narrow and any ratio past the limit has been confirmed. Before A and B are said to differ,
two other ratios must say so too, which other jobs disturb in other ways: that of the fastest calls, and the median of
the rounds' own ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..contract import Timing

Call = Callable[[], None]
Start = Callable[[], Call]
Clock = Callable[[], float]

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

LEAST_DIFFERENCE = 0.02
"""Ratios nearer to 1 are no difference: the same model in two interpreters comes to that, by where memory lies."""

INTERRUPTED = 1.5
"""A call this many times as long as the fastest was not the model's doing: the processor was taken away meanwhile."""

TOO_BUSY = 0.9
"""Share of interrupted rounds above which nothing is concluded from the few others. On two cores, two threads beside
other jobs come to 0.97, and a model seemed to take 0.78 of the time of one that is as fast.
"""

LEAST_CLOCK_SECONDS = 1e-6
"""Taken for calls that are shorter than a clock can tell."""

FIRST_SECONDS = 1.5
"""For the first rounds; slow models get fewer of them, but never fewer than `LEAST_ROUNDS`."""

ALL_SECONDS = 1.5
"""No rounds are added to narrow an interval once this much time was spent."""

SUSPECTED_SECONDS = 3.0
"""The same for a ratio past the limit, which is to be confirmed."""

LEAST_ROUNDS = 8
STARTS = 10
START_SECONDS = 0.5
LEAST_STARTS = 5
RESAMPLES = 2_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class PairedTimes:
    """Medians in milliseconds; `ratio` is B over A, and lies in `low`..`high` with 95 % confidence or better.

    `fastest_ratio` is that of the fastest calls, `paired_ratio` the median of the ratios of each round; the
    interval is widened until it holds both. Of the `rounds`, `interrupted` ones count for nothing else.
    `samples` are the milliseconds of each round, (A, B), of the interrupted ones too.
    """

    original_ms: float
    quantized_ms: float
    original_spread_ms: float
    quantized_spread_ms: float
    ratio: float
    low: float
    high: float
    fastest_ratio: float
    paired_ratio: float
    rounds: int
    interrupted: int = 0
    samples: tuple[tuple[float, float], ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the two can be told apart at all."""
        if self.too_busy:
            return False
        slower, faster = 1.0 + LEAST_DIFFERENCE, 1.0 - LEAST_DIFFERENCE
        return (self.low > 1.0 and min(self._ratios) > slower) or (self.high < 1.0 and max(self._ratios) < faster)

    @property
    def too_busy(self) -> bool:
        """Whether the machine did so much else that nothing can be said."""
        return self.interrupted > TOO_BUSY * self.rounds

    @property
    def is_narrow(self) -> bool:
        """Whether more rounds would hardly change the ratio."""
        return max(self.high - self.ratio, self.ratio - self.low) <= NARROW

    def is_slower_than(self, limit: float) -> bool:
        """Whether B is past the limit, and this is neither an accident of the measurement nor next to nothing."""
        matters = self.quantized_ms - self.original_ms > LEAST_MILLISECONDS
        return self.differs and min(self._ratios) > limit and matters

    def in_words(self) -> str:
        """The ratio as a sentence that claims no more than was measured."""
        if not self.differs:
            what = (
                "the machine is too busy to tell" if self.too_busy else "no difference that this measurement can tell"
            )
            return f"{what} ({self.ratio:.2f}, {self.low:.2f} to {self.high:.2f})"
        word = "slower" if self.ratio > 1.0 else "faster"
        return f"{word}: {self.ratio:.2f} of the original's time ({self.low:.2f} to {self.high:.2f})"

    def timing(self, threads: int | None = None) -> Timing:
        """The same without the samples, measured on so many threads; spreads are interquartile ranges."""
        return Timing(
            original_ms=self.original_ms,
            quantized_ms=self.quantized_ms,
            original_iqr_ms=self.original_spread_ms,
            quantized_iqr_ms=self.quantized_spread_ms,
            ratio=self.ratio,
            low=self.low,
            high=self.high,
            fastest_ratio=self.fastest_ratio,
            paired_ratio=self.paired_ratio,
            rounds=self.rounds,
            interrupted=self.interrupted,
            differs=self.differs,
            too_busy=self.too_busy,
            verdict=self.in_words(),
            threads=threads,
        )

    @property
    def middle_ratio(self) -> float:
        """The median of the three ratios: the one to decide by where one of them may have been disturbed."""
        return sorted(self._ratios)[1]

    @property
    def _ratios(self) -> tuple[float, float, float]:
        return self.ratio, self.fastest_ratio, self.paired_ratio


def compare(
    original: Call,
    quantized: Call,
    limit: float | None = None,
    seconds: float = ALL_SECONDS,
    clock: Clock = time.perf_counter,
) -> PairedTimes:
    """Time both; a ratio past the limit is measured again with more rounds before it is believed.

    No rounds are added to narrow the interval once `seconds` were spent. With `time.thread_time` as the clock, what
    calls on one thread wait for other jobs does not count: not what a user waits for, but it can be had on a busy
    machine.
    """
    for _ in range(WARM_UP):
        original()
        quantized()
    rounds, repeats = _plan(original, quantized, min(seconds, FIRST_SECONDS), clock)
    samples = np.empty((0, 2))
    longest = seconds if limit is None else max(seconds, SUSPECTED_SECONDS)
    start = time.perf_counter()
    for attempt in range(ATTEMPTS):
        more = _sample(original, quantized, rounds << attempt, repeats, start + longest, clock)
        samples = np.concatenate([samples, more])
        outcome = _summarise(samples)
        suspected = limit is not None and outcome.is_slower_than(limit)
        spent = time.perf_counter() - start
        if (not suspected and (outcome.is_narrow or spent > seconds)) or spent > longest:
            break
    return outcome


def judge(start_original: Start, start_quantized: Start, limit: float | None) -> PairedTimes:
    """Time two models that are started for it; one past the limit is started and timed once more.

    What is given back is past the limit only if both measurements were: where memory lies differs from one start to
    the next, and so does what else the machine does.
    """
    outcome = compare(start_original(), start_quantized(), limit)
    if limit is None or not outcome.is_slower_than(limit):
        return outcome
    return compare(start_original(), start_quantized(), limit)


def compare_starts(original: Start, quantized: Start) -> tuple[PairedTimes, PairedTimes]:
    """Time loading both, and their first call apart from it, in turns and each time anew."""
    loads, firsts = [], []
    begin = time.perf_counter()
    for index in range(STARTS):
        if index >= LEAST_STARTS and time.perf_counter() - begin > START_SECONDS:
            break
        load, first = [0.0, 0.0], [0.0, 0.0]
        for which in (0, 1) if index % 2 == 0 else (1, 0):
            start = time.perf_counter()
            call = (original, quantized)[which]()
            loaded = time.perf_counter()
            call()
            load[which], first[which] = loaded - start, time.perf_counter() - loaded
        loads.append(load)
        firsts.append(first)
    return _summarise(np.array(loads)), _summarise(np.array(firsts))


def _plan(original: Call, quantized: Call, seconds: float, clock: Clock) -> tuple[int, int]:
    """How many rounds fit the budget, and how many calls make one sample."""
    once = min(_timed(original, 1, clock), _timed(quantized, 1, clock))
    repeats = max(1, int(np.ceil(LEAST_SAMPLE_SECONDS / max(once, LEAST_CLOCK_SECONDS))))
    fitting = int(seconds / (2 * repeats * max(once, LEAST_CLOCK_SECONDS)))
    return min(ROUNDS, max(LEAST_ROUNDS, fitting)), repeats


def _sample(original: Call, quantized: Call, rounds: int, repeats: int, end: float, clock: Clock) -> np.ndarray:
    """Seconds per call, one row of (A, B) per round; every second round starts with B.

    Once the clock has passed `end`, no more than the least number of rounds is made.
    """
    samples = np.empty((rounds, 2))
    for index in range(rounds):
        if index >= LEAST_ROUNDS and time.perf_counter() > end:
            return samples[:index]
        order = (0, 1) if index % 2 == 0 else (1, 0)
        for which in order:
            samples[index, which] = _timed((original, quantized)[which], repeats, clock) / repeats
    return samples


def _timed(call: Call, repeats: int, clock: Clock) -> float:
    start = clock()
    for _ in range(repeats):
        call()
    return clock() - start


def _summarise(samples: np.ndarray) -> PairedTimes:
    fastest = samples.min(axis=0)
    kept = samples[(samples < INTERRUPTED * fastest).all(axis=1)]
    if len(kept) < LEAST_STARTS:
        kept = samples
    medians = np.median(kept, axis=0)
    lower, upper = np.percentile(kept, (25, 75), axis=0)
    # Rounds are resampled whole, so that a slow moment stays with both of its timings.
    random = np.random.default_rng(0)
    picks = random.integers(0, len(kept), (RESAMPLES, len(kept)))
    resampled = np.median(kept[picks], axis=1)
    ratios = resampled[:, 1] / resampled[:, 0]
    low, high = np.quantile(ratios, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    others = float(fastest[1] / fastest[0]), float(np.median(kept[:, 1] / kept[:, 0]))
    spread = (upper - lower) * 1e3
    return PairedTimes(
        original_ms=float(medians[0] * 1e3),
        quantized_ms=float(medians[1] * 1e3),
        original_spread_ms=float(spread[0]),
        quantized_spread_ms=float(spread[1]),
        ratio=float(medians[1] / medians[0]),
        low=float(min(low, *others)),
        high=float(max(high, *others)),
        fastest_ratio=others[0],
        paired_ratio=others[1],
        rounds=len(samples),
        interrupted=len(samples) - len(kept),
        samples=tuple((float(one) * 1e3, float(other) * 1e3) for one, other in samples),
    )
