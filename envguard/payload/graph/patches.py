"""Inputs of a convolution or a matrix product as rows of a matrix: what each output's weights are multiplied with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .schema import BuiltinOperator, generated


def patches(code: int, options: Any, weights: np.ndarray, inputs: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """One (rows, weights per output) matrix per input of a CONV_2D or FULLY_CONNECTED, its columns in weight order.

    None for other operators and for grouped or dilated convolutions.
    """
    if code == BuiltinOperator.FULLY_CONNECTED:
        return [array.reshape(-1, weights.shape[1]) for array in inputs]
    grouped = code == BuiltinOperator.CONV_2D and inputs[0].shape[-1] != weights.shape[3]
    if code != BuiltinOperator.CONV_2D or grouped or (options.dilationHFactor, options.dilationWFactor) != (1, 1):
        return None
    return [_convolution_patches(array, weights.shape[1:3], options) for array in inputs]


def _convolution_patches(array: np.ndarray, kernel: tuple[int, ...], options: Any) -> np.ndarray:
    strides = (options.strideH, options.strideW)
    if options.padding == generated.Padding.SAME:
        margins = [_same_margins(array.shape[1 + axis], kernel[axis], strides[axis]) for axis in (0, 1)]
        array = np.pad(array, ((0, 0), *margins, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(array, kernel, axis=(1, 2))[:, :: strides[0], :: strides[1]]
    # (count, rows, columns, channels, height, width) to the order of the weights: height, width, channels.
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kernel[0] * kernel[1] * array.shape[3])


def _same_margins(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Rows of zeros before and after, as TensorFlow's SAME padding has them."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
