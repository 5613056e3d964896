"""How far one output is from another: cosine similarity, signal-to-noise ratio, largest difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

AUDIBLE = 1e-4
"""Magnitude below which nothing is said against an output: a confidence may well fade from 1e-9 to 0."""


@dataclass(frozen=True)
class Difference:
    """One output over all inputs tried, taken together as one long vector.

    `snr_db` is 10 log10 of signal power over error power; None if there is no error.
    `peak` is the original's largest magnitude, and `relative_error` the largest error over it.
    """

    name: str
    cosine: float
    largest_error: float
    relative_error: float
    peak: float
    snr_db: float | None
    finite: bool
    silent: bool


def difference(name: str, before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> Difference:
    """Compare what the original and the quantized model gave for the same inputs.

    NaN and infinities in `after` that `before` does not have make the result not `finite`; its figures are then 0.
    """
    original = [np.asarray(array, np.float64).ravel() for array in before]
    quantized = [np.asarray(array, np.float64).ravel() for array in after]
    if not all(np.isfinite(array).all() for array in original + quantized):
        return Difference(name, 0.0, 0.0, 0.0, 0.0, None, finite=False, silent=False)
    a, b = _joined(original), _joined(quantized)
    error = float(np.max(np.abs(a - b), initial=0.0))
    peak = float(np.max(np.abs(a), initial=0.0))
    noise, signal = float(np.sum((a - b) ** 2)), float(np.sum(a**2))
    return Difference(
        name,
        cosine=_cosine(a, b),
        largest_error=error,
        relative_error=error / peak if peak > 0 else 0.0,
        peak=peak,
        snr_db=10 * math.log10(signal / noise) if noise > 0 and signal > 0 else None,
        finite=True,
        silent=peak > AUDIBLE and not np.any(b),
    )


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0.0:
        return 1.0 if np.array_equal(a, b) else 0.0
    return min(1.0, float(np.dot(a, b)) / norms)
