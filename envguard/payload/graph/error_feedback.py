"""Round the weights of a matrix one input at a time, and let the inputs still to come make up for each error.

What is kept small is the change of the layer's answers to the inputs that it really gets, not of its weights. This is
GPTQ (Frantar et al. 2022) in the form that QuIP gave it (LDLQ, Chee et al. 2023). Sums of products are exact and all
else is done element by element in a fixed order, so that the same inputs give the same weights whatever the BLAS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .balanced_rounding import LEVELS

DAMPING = 0.01
"""Added to the diagonal of the second moments, as a part of its mean, for directions that the samples do not show.

Measured on MediaPipe's face landmark model with 0.001, 0.01 and 0.1: the middle one moves landmarks the least.
"""

_INPUT_LEVELS = 2047
"""Inputs are rounded to whole numbers up to this, so that float64 holds every sum of their products exactly."""


def second_moments(batches: Sequence[np.ndarray]) -> np.ndarray:
    """The sum of `x.T @ x` over batches x of shape (any, inputs), up to a factor, and damped."""
    peak = max(float(np.max(np.abs(batch), initial=0.0)) for batch in batches)
    factor = _INPUT_LEVELS / peak if peak > 0.0 else 0.0
    size = batches[0].shape[1]
    moments = np.zeros((size, size))
    for batch in batches:
        whole = np.rint(batch.astype(np.float64) * factor)
        moments += whole.T @ whole
    mean = float(np.trace(moments)) / size
    return moments + np.eye(size) * (DAMPING * mean if mean > 0.0 else 1.0)


def representable(weights: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The (outputs, inputs) weights, each moved onto a step of its row's int8 scale (largest magnitude / 127).

    Inputs that say most come first, as those that follow can make up for them. The largest weight of each row keeps
    its value, so that the quantizer finds the same scale, and zeros stay zeros, which may be stored as sparse.
    """
    order = np.argsort(-np.diag(moments), kind="stable")
    exact = weights.astype(np.float64)[:, order]
    scale = np.max(np.abs(exact), axis=1, keepdims=True) / LEVELS
    scale[scale == 0.0] = 1.0
    exact /= scale
    wanted, steps = exact.copy(), np.empty_like(exact)
    largest = np.argmax(np.abs(exact), axis=1)
    extreme = np.sign(exact[np.arange(len(exact)), largest]) * LEVELS
    feedback = _feedback(moments[np.ix_(order, order)])
    for column in range(steps.shape[1]):
        nearest = np.clip(np.rint(wanted[:, column]), -LEVELS, LEVELS)
        nearest[exact[:, column] == 0.0] = 0.0
        steps[:, column] = np.where(largest == column, extreme, nearest)
        error = exact[:, column] - steps[:, column]
        wanted[:, column + 1 :] += error[:, None] * feedback[column, column + 1 :][None, :]
    rounded = np.empty(weights.shape, np.float32)
    rounded[:, order] = steps * scale
    return rounded


def _feedback(moments: np.ndarray) -> np.ndarray:
    """The unit upper triangular U of `moments` = U D U^T: how an error of each input is made up for by later ones."""
    rest = moments.copy()
    factor = np.eye(len(rest))
    for last in range(len(rest) - 1, 0, -1):
        column = rest[:last, last] / rest[last, last]
        factor[:last, last] = column
        rest[:last, :last] -= column[:, None] * rest[:last, last][None, :]
    return factor
