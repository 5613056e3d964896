"""What of the given inputs is kept apart, so that nothing is judged by what it was calibrated with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

LEAST_ROWS_TO_DIVIDE = 10
T = TypeVar("T")


def divided_rows(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows to calibrate with, and every fifth one to hold out if there are enough for that."""
    apart = np.zeros(len(array), bool)
    if len(array) >= LEAST_ROWS_TO_DIVIDE:
        apart[4::5] = True
    return array[~apart], array[apart]


def divided(views: Sequence[T]) -> tuple[list[T], list[T]]:
    """The views to calibrate with, and about every fourth one to hold out; none of a single one."""
    first = min(3, max(1, len(views) - 1))
    return [view for n, view in enumerate(views) if n % 4 != first], list(views[first::4])
