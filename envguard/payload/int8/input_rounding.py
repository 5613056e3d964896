"""How far a model's outputs move when what one convolution reads is rounded to int8, as int8 arithmetic does.

Runtimes round the float input of such a convolution as it comes, from its least to its largest value: a 1×1 convolution
pixel by pixel, one with a larger kernel in one step for all of its input (found with LiteRT 2.3, of which the rounding
below gives the same answers to a part in a million). Each layer is looked at by itself, all else in float: errors of
different layers are hardly correlated, so that their squares add up.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ..graph.schema import ModelT, OperatorT
from ..measuring.bench import Bench
from .equalizing import INPUT_STEPS
from .walking import Walk


@dataclass(frozen=True)
class InputErrors:
    """Errors (see `Bench`) from rounding what one convolution reads: the `whole`, or in two goes (`split_signs`)."""

    whole: float
    split: float


def errors(model: ModelT, outputs: Collection[int], bench: Bench) -> dict[int, InputErrors]:
    """By tensor, those of what the convolutions read that make the tensors `outputs`; raises `CannotRun`."""
    walk = Walk(model, bench.inputs)
    exact = walk.rest()
    found = {}
    for number, operator in enumerate(model.subgraphs[0].operators):
        if not set(operator.outputs).isdisjoint(outputs):
            walk.advance(number)
            flow, rows = walk.inputs(), _is_row_by_row(model, operator)
            answers = (walk.rest([way(array, rows) for array in flow]) for way in (rounded, rounded_by_sign))
            found[operator.outputs[0]] = InputErrors(*(bench.error_between(exact, each) for each in answers))
    return found


def rounded(array: np.ndarray, row_by_row: bool) -> np.ndarray:
    """What int8 arithmetic makes of an input: steps of one size for all of it, or for each pixel; one of them is 0."""
    axes = (-1,) if row_by_row else tuple(range(array.ndim))
    least = np.minimum(array.min(axis=axes, keepdims=True), 0.0).astype(np.float64)
    step = (np.maximum(array.max(axis=axes, keepdims=True), 0.0) - least) / INPUT_STEPS
    step[step == 0.0] = 1.0
    zero = np.rint(-least / step)
    return np.asarray((np.clip(np.rint(array / step) + zero, 0, INPUT_STEPS) - zero) * step, np.float32)


def rounded_by_sign(array: np.ndarray, row_by_row: bool) -> np.ndarray:
    """The same where what is above zero and what is below are rounded by themselves."""
    above = np.maximum(array, 0.0)
    return rounded(above, row_by_row) + rounded(array - above, row_by_row)


def _is_row_by_row(model: ModelT, operator: OperatorT) -> bool:
    shape = model.subgraphs[0].tensors[operator.inputs[1]].shape
    return len(shape) == 2 or list(shape[1:3]) == [1, 1]
