"""The figures of an output column by column, each after its own mean and spread: what is small is not lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import ColumnDifference
from .numerics import AUDIBLE

CLEARLY = 1.5
"""How many times as much the scales must differ along one axis as along the other to tell which one the channels are.
Exports of YOLO detectors differ 20 times as much along theirs; feature maps are alike along both.
"""

CONSTANT = 1e-5
"""Share of a column's peak below which it does not vary: the rounding of float32 sums comes to 1e-6."""

SAME_ANSWER = 1e-4
"""Share of a column's spread by which two answers must differ to be two."""

LEAST_VALUES = 4
"""Fewer values have no spread worth the name; they must stay what they are."""


@dataclass(frozen=True)
class Columns:
    """The figures of every column of an output along one axis, as arrays.

    `correlation` and `relative_error` (root mean square, over the original's `spread`) are the copy's, `noise_...` the
    original's own on noisy inputs; `answers` and `original_answers` count distinct values, `kept_spread` is the copy's
    spread over the original's. `shift` is the largest error, `noise_shift` that by noise, `peak` the original's largest
    magnitude. `varies` says which columns have a spread to judge by, `audible` which have anything to say.
    """

    axis: int
    values: int
    peak: np.ndarray
    spread: np.ndarray
    shift: np.ndarray
    noise_shift: np.ndarray
    correlation: np.ndarray
    relative_error: np.ndarray
    noise_correlation: np.ndarray
    noise_error: np.ndarray
    kept_spread: np.ndarray
    answers: np.ndarray
    original_answers: np.ndarray
    varies: np.ndarray
    audible: np.ndarray

    def __len__(self) -> int:
        return len(self.peak)

    @property
    def judged(self) -> np.ndarray:
        """Which columns have a spread to judge by, and anything to say."""
        return self.varies & self.audible

    def least(self, figures: np.ndarray, among: np.ndarray) -> int:
        """The column with the lowest of these figures among those that are marked."""
        return int(np.argmin(np.where(among, figures, np.inf)))

    def difference(self, column: int) -> ColumnDifference:
        """One column, as it is reported."""
        return ColumnDifference(
            column=column,
            of=len(self),
            correlation=float(self.correlation[column]),
            relative_error=float(self.relative_error[column]),
            answers=int(self.answers[column]),
            original_answers=int(self.original_answers[column]),
            noise_correlation=float(self.noise_correlation[column]),
            noise_relative_error=float(self.noise_error[column]),
        )


def channel_axes(rows: np.ndarray) -> tuple[int, ...]:
    """The axes that columns lie along, for stacked outputs `[rows, ...]` of one shape.

    The last one, and for heads `[1, C, N]` the first one after the batch too, unless the scales differ clearly more
    along the last. The likeliest comes first. Empty for outputs of one value.
    """
    sizes = rows.shape[1:]
    last = rows.ndim - 1
    wide = [axis for axis in range(1, rows.ndim) if rows.shape[axis] > 1]
    if not wide or rows.size < LEAST_VALUES * max(rows.shape[axis] for axis in wide):
        return ()
    first = 2 if len(sizes) > 1 else 1
    if len(sizes) != 3 or first not in wide or last not in wide:
        return (last,) if last in wide or len(sizes) > 1 else (wide[-1],)
    here, there = _variety(rows, last), _variety(rows, first)
    if there > CLEARLY * here:
        return first, last
    return (last,) if here > CLEARLY * there else (last, first)


def measured(exact: np.ndarray, copied: np.ndarray, noisy: np.ndarray, axis: int | None, *, scores: bool) -> Columns:
    """The figures along the axis (None: all values are one column); the arrays are stacked outputs `[rows, ...]`.

    `scores` says that columns within 0..1 hold probabilities, of which the least say nothing (see `AUDIBLE`).
    """
    before, after, moved = (_flat(array, axis) for array in (exact, copied, noisy))
    peak, spread = np.abs(before).max(0), before.std(0)
    varies = (spread > CONSTANT * peak) & (len(before) >= LEAST_VALUES)
    unit = np.where(varies, spread, 1.0)
    return Columns(
        axis=-1 if axis is None else axis,
        values=len(before),
        peak=peak,
        spread=spread,
        shift=np.abs(after - before).max(0),
        noise_shift=np.abs(moved - before).max(0),
        correlation=_correlation(before, after),
        relative_error=_root_mean_square(after - before) / unit,
        noise_correlation=_correlation(before, moved),
        noise_error=_root_mean_square(moved - before) / unit,
        kept_spread=after.std(0) / unit,
        answers=_distinct(after, unit),
        original_answers=_distinct(before, unit),
        varies=varies,
        audible=np.where(scores & (before.min(0) >= 0) & (peak <= 1), peak > AUDIBLE, peak > 0),
    )


def _flat(array: np.ndarray, axis: int | None) -> np.ndarray:
    """The array as `[values, columns]`."""
    if axis is None:
        return array.reshape(-1, 1)
    return np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis])


def _variety(rows: np.ndarray, axis: int) -> float:
    """How much the columns along an axis differ in magnitude: the spread of its logarithms."""
    magnitude = _root_mean_square(_flat(rows, axis))
    largest = magnitude.max(initial=0.0)
    return float(np.log(magnitude + 1e-6 * largest).std()) if largest > 0 else 0.0


def _root_mean_square(array: np.ndarray) -> np.ndarray:
    squares: np.ndarray = np.sqrt(np.mean(array**2, 0))
    return squares


def _correlation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """By column; 0 where either does not vary."""
    a, b = before - before.mean(0), after - after.mean(0)
    norms = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    found: np.ndarray = np.divide((a * b).sum(0), norms, out=np.zeros(a.shape[1]), where=norms > 0)
    return found


def _distinct(array: np.ndarray, unit: np.ndarray) -> np.ndarray:
    steps = np.diff(np.sort(array, 0), axis=0) > SAME_ANSWER * unit
    found: np.ndarray = steps.sum(0) + 1
    return found


def stacked(runs: Sequence[np.ndarray]) -> np.ndarray | None:
    """The runs' arrays as `[rows, ...]` in float64; None where their shapes differ or there is none."""
    if not runs or any(run.shape != runs[0].shape for run in runs):
        return None
    return np.stack([np.asarray(run, np.float64) for run in runs])
