"""Choose the scales under which int8 holds a constant: one for all of it, or one per slice along a dimension."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .balanced_rounding import LEVELS

MOST_ERROR = 0.05
"""Of a column or a row, relative to what it varies by: the most that a scale for several of them may cost."""

_ROWS = 99
"""Percentage of rows that must be within it: a table has rows for ids that hardly occur."""


@dataclass(frozen=True)
class Layout:
    """Steps, and the scale to multiply them with, per element of `dimension` or (None) for all."""

    steps: np.ndarray
    scale: np.ndarray
    dimension: int | None
    error: float


def best(array: np.ndarray, dimensions: Iterable[int | None]) -> Layout | None:
    """The first layout that is exact enough; None if none is, or a value is not finite."""
    if not np.isfinite(array).all():
        return None
    layouts = (_laid_out(array, dimension) for dimension in dimensions)
    return next((layout for layout in layouts if layout.error <= MOST_ERROR), None)


def _laid_out(array: np.ndarray, dimension: int | None) -> Layout:
    rest = tuple(axis for axis in range(array.ndim) if axis != dimension)
    scale = np.max(np.abs(array), axis=rest, keepdims=True) / LEVELS
    scale[scale == 0.0] = 1.0
    scale = scale.astype(np.float32)
    steps = np.clip(np.round(array / scale), -LEVELS, LEVELS)
    return Layout(steps.astype(np.int8), scale.reshape(-1), dimension, _error(array, steps * scale))


def _error(array: np.ndarray, stored: np.ndarray) -> float:
    """The larger of the worst column's error and that of all but a few rows, whose columns count alike."""
    columns = array.reshape(-1, array.shape[-1])
    spread, size = columns.std(axis=0), _size(columns, 0)
    unit = np.where(spread > 1e-6 * size, spread, size)
    unit[unit == 0.0] = 1.0
    errors, rows = (stored - array) / unit, (array / unit).reshape(len(array), -1)
    row_size = _size(rows, 1)
    row_errors = _size(errors.reshape(rows.shape), 1) / np.where(row_size == 0.0, 1.0, row_size)
    return float(max(np.max(_size(errors.reshape(columns.shape), 0)), np.percentile(row_errors, _ROWS)))


def _size(array: np.ndarray, axis: int) -> np.ndarray:
    """Root mean square."""
    found: np.ndarray = np.sqrt(np.mean(array**2, axis=axis))
    return found
