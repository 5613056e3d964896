"""What of the given inputs is kept apart, so that nothing is judged by what it was calibrated with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

LEAST_ROWS_TO_DIVIDE = 10
T = TypeVar("T")


def key(name: str, number: int, count: int) -> str:
    """What a file of both calls the array for one of the `count` inputs of the model called `name`."""
    return name if count == 1 else f"{name}:{number}"


def divided_rows(array: np.ndarray, batch: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The rows to calibrate with, and every fifth one to hold out if there are enough for that; batches are kept."""
    batches = array.reshape(len(array) // batch, batch, *array.shape[1:])
    apart = np.zeros(len(batches), bool)
    if len(batches) >= LEAST_ROWS_TO_DIVIDE:
        apart[4::5] = True
    shown, held_out = batches[~apart], batches[apart]
    return shown.reshape(-1, *array.shape[1:]), held_out.reshape(-1, *array.shape[1:])


def divided(views: Sequence[T]) -> tuple[list[T], list[T]]:
    """The views to calibrate with, and about every fourth one to hold out; none of a single one."""
    first = min(3, max(1, len(views) - 1))
    return [view for n, view in enumerate(views) if n % 4 != first], list(views[first::4])
