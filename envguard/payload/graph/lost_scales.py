"""Which int8 operators round away what they are given, read off their scales without running the model.

int8 holds one scale per activation tensor. A converter that joins boxes in pixels and scores from 0 to 1 in one tensor
gives the scores no step of their own; the same happens to small values beside a large offset, and to channels of one
product whose ranges differ. Each is seen by comparing the width that an operator's output can have, by the scales of
what it reads, with the width that the output's own scale spans.
"""

from __future__ import annotations

import math

import numpy as np

from .constants import is_constant, values
from .schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code

STEPS = 255
"""Of an int8 tensor's range."""

LEAST_PART = 1 / 3
"""Of an output's range that must be within reach of its inputs; below, more than a bit and a half is lost."""

LEAST_PART_OF_PRODUCT = 1 / 32
"""The same for a channel of a matrix product or a convolution, whose reach is only estimated."""

PRODUCTS = {
    BuiltinOperator.CONV_2D: 0,
    BuiltinOperator.FULLY_CONNECTED: 0,
    BuiltinOperator.DEPTHWISE_CONV_2D: 3,
}
"""Products, and the dimension of their weights that is the channel of the output."""


def is_int8(tensor: TensorT) -> bool:
    """Whether the tensor is int8 or uint8 with a scale."""
    parameters = tensor.quantization
    scaled = parameters is not None and parameters.scale is not None and len(parameters.scale) > 0
    return scaled and tensor.type in (TensorType.INT8, TensorType.UINT8)


def real_values(model: ModelT, tensor: TensorT) -> np.ndarray:
    """An integer constant's values times its scales, float32."""
    parameters = tensor.quantization
    shape = [1] * len(tensor.shape)
    if len(parameters.scale) > 1:
        shape[parameters.quantizedDimension] = -1
    zero_points = 0 if parameters.zeroPoint is None else np.asarray(parameters.zeroPoint, np.float64).reshape(shape)
    steps = values(model, tensor).astype(np.float64) - zero_points
    return np.asarray(steps * np.asarray(parameters.scale, np.float64).reshape(shape), np.float32)


def loses(model: ModelT, graph: SubGraphT, operator: OperatorT, factor: np.ndarray | None = None) -> bool:
    """Whether the operator's int8 output has too large a step for what it is made of.

    `factor` is the exact constant of a MUL, where the int8 one may have been rounded to nothing.
    """
    output = graph.tensors[operator.outputs[0]]
    if not is_int8(output) or not is_int8(graph.tensors[operator.inputs[0]]):
        return False
    code = builtin_code(model.operatorCodes[operator.opcodeIndex])
    span = STEPS * float(output.quantization.scale[0])
    if code in PRODUCTS:
        return bool(_width_of_product(model, graph, operator, PRODUCTS[code]) < LEAST_PART_OF_PRODUCT * span)
    return bool(_width(model, graph, operator, code, factor) < LEAST_PART * span)


def _width(model: ModelT, graph: SubGraphT, operator: OperatorT, code: int, factor: np.ndarray | None) -> float:
    """How far apart values of the output can lie in its narrowest column; infinite where scales do not say."""
    read = [graph.tensors[index] for index in operator.inputs]
    varying = [tensor for tensor in read if not is_constant(model, tensor)]
    if not all(map(is_int8, varying)):
        return math.inf
    widths = [STEPS * float(tensor.quantization.scale[0]) for tensor in varying]
    if code == BuiltinOperator.QUANTIZE:
        return widths[0]
    if code in (BuiltinOperator.ADD, BuiltinOperator.SUB):
        return sum(widths)
    if code != BuiltinOperator.MUL:
        return math.inf
    if len(varying) == 2:
        return math.prod(_largest(tensor) for tensor in varying)
    constant = next(tensor for tensor in read if is_constant(model, tensor))
    factors = np.abs(real_values(model, constant) if factor is None else factor)
    return widths[0] * float(np.min(factors[factors > 0], initial=math.inf))


def _width_of_product(model: ModelT, graph: SubGraphT, operator: OperatorT, dimension: int) -> float:
    """Six deviations of the narrowest channel, if inputs vary by a sixth of their range and independently."""
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    if not is_constant(model, weights) or not is_int8(weights):
        return math.inf
    rest = tuple(axis for axis in range(len(weights.shape)) if axis != dimension)
    norms = np.sqrt(np.sum(real_values(model, weights).astype(np.float64) ** 2, axis=rest))
    # A channel without weights is constant in the original too.
    return STEPS * float(source.quantization.scale[0]) * float(np.min(norms[norms > 0], initial=math.inf))


def _largest(tensor: TensorT) -> float:
    """Magnitude that the tensor can hold."""
    low, high = (-128, 127) if tensor.type == TensorType.INT8 else (0, 255)
    zero_point = int(tensor.quantization.zeroPoint[0])
    return float(tensor.quantization.scale[0]) * max(high - zero_point, zero_point - low)
