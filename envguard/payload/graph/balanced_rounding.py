"""Round weights so that a kernel answers a flat picture as before.

Rounding each weight to the nearest step leaves a random sum per kernel, and neighbouring pixels of a feature map are
alike, so that sum reaches the output as a bias. Here, wherever the roundings of one kernel plane (one output and one
input channel) add up to a whole step or more, those that lay closest to the middle of two steps go the other way.
Every weight stays within one step of its value, and no data is needed. On the 2x2 output layer of MediaPipe's face
landmark model this takes a third off the error of the landmarks. The idea is error diffusion; for weights see
squant (Guo et al., 2022), which balances in the same way.

Not lossless: it decides how the quantizer will round, by handing it weights that int8 holds exactly.
"""

from __future__ import annotations

import numpy as np

LEVELS = 127
"""Largest magnitude of symmetric int8; -128 stays unused, as TFLite demands of weights."""


def representable(weights: np.ndarray, channel_dimension: int) -> np.ndarray:
    """The weights, each moved onto a step of its channel's int8 scale (largest magnitude / 127).

    `weights` is a kernel `[out, height, width, in]` or `[1, height, width, channels]`, or a matrix; only kernels
    larger than one pixel have planes to balance, the others are rounded to the nearest step.
    """
    rest = tuple(axis for axis in range(weights.ndim) if axis != channel_dimension)
    exact = weights.astype(np.float64)
    scale = np.max(np.abs(exact), axis=rest, keepdims=True) / LEVELS
    scale[scale == 0.0] = 1.0
    steps = exact / scale
    rounded = np.round(steps)
    if weights.ndim == 4 and weights.shape[1] * weights.shape[2] > 1:
        rounded += _corrections(rounded - steps)
    return (np.clip(rounded, -LEVELS, LEVELS) * scale).astype(np.float32)


def _corrections(errors: np.ndarray) -> np.ndarray:
    """-1, 0 or +1 per weight, so that each plane's errors add up to less than a step; errors are in steps."""
    outputs, height, width, inputs = errors.shape
    planes = errors.reshape(outputs, height * width, inputs)
    excess = np.round(planes.sum(axis=1, keepdims=True))
    # Rank 0 was rounded up the furthest. Sorting is stable, so that equal errors give the same bytes everywhere.
    order = np.argsort(-planes, axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    down = ranks < excess
    up = planes.shape[1] - 1 - ranks < -excess
    return (up.astype(np.float64) - down).reshape(errors.shape)
