"""Store float32 constants as float16 behind DEQUANTIZE, as converters do, wherever that makes the file smaller.

Lossless where every value is a float16 already, which holds for all that came out of `fold_float16`; elsewhere it
rounds to 11 bits. Runtimes undo it once, before the first run: XNNPACK when it takes the graph, the plain kernel on
its first invocation.
"""

from __future__ import annotations

import math

import numpy as np

from ...contract import AppliedPass
from ..constants import add_buffer, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code
from . import operator_codes

NAME = "store_float16"

_DEQUANTIZE_FLOAT16_VERSION = 3
_LARGEST_ERROR = 2.0**-11
"""Relative to the tensor's largest magnitude: the rounding error of a normal float16."""

_OPERATOR_BYTES = 200
"""What one more operator, tensor and buffer cost in a file."""

_WEIGHTS_AND_BIAS = {
    BuiltinOperator.CONV_2D: (1, 2),
    BuiltinOperator.DEPTHWISE_CONV_2D: (1, 2),
    BuiltinOperator.FULLY_CONNECTED: (1, 2),
    BuiltinOperator.TRANSPOSE_CONV: (1, 3),
}
"""Operators of which both inputs are stored as float16 or neither.

Measured with LiteRT 2.1 to 2.3: float16 beside int8 or float32 in one of these operators takes it off XNNPACK's fast
path, which makes whole models up to three times slower.
"""

_SINGLE = {
    BuiltinOperator.PRELU: (1,),
    BuiltinOperator.ADD: (0, 1),
    BuiltinOperator.MUL: (0, 1),
    BuiltinOperator.SUB: (0, 1),
}
"""Other operators that stay on the fast path with such an input."""


def apply(model: ModelT) -> AppliedPass:
    """Do so for every eligible constant that is large enough to pay for the operator."""
    errors = []
    for graph in model.subgraphs:
        for index in sorted(_chosen(model, graph)):
            array = values(model, graph.tensors[index])
            half = array.astype(np.float16)
            errors.append(float(np.max(np.abs(half.astype(np.float32) - array), initial=0.0)))
            _insert(model, graph, index, half)
    what = "remaining float32 constants stored as float16"
    return AppliedPass(NAME, len(errors), what, lossless=not any(errors))


def _chosen(model: ModelT, graph: SubGraphT) -> set[int]:
    """The tensors to store, none of which is read by an operator that would mind.

    An operator that shares a tensor with one that is passed over is passed over as well, until none is left to be.
    """
    groups = _groups(model, graph)
    readers: dict[int, set[int]] = {index: set() for group in groups.values() for index in group}
    for number, operator in enumerate(graph.operators):
        for index in set(operator.inputs) & readers.keys():
            readers[index].add(number)
    while True:
        passed_over = {
            number
            for number, group in groups.items()
            if any(reader not in groups or index not in groups[reader] for index in group for reader in readers[index])
        }
        if not passed_over:
            return {index for group in groups.values() for index in group}
        groups = {number: group for number, group in groups.items() if number not in passed_over}


def _groups(model: ModelT, graph: SubGraphT) -> dict[int, set[int]]:
    """By operator number, the constants that would be stored for it, if the file gains by them taken together."""
    groups = {}
    for number, operator in enumerate(graph.operators):
        code = builtin_code(model.operatorCodes[operator.opcodeIndex])
        places = _WEIGHTS_AND_BIAS.get(code) or _SINGLE.get(code, ())
        inputs = {operator.inputs[place] for place in places if place < len(operator.inputs)} - {-1}
        storable = {index for index in inputs if _is_storable(model, graph, index)}
        if code in _WEIGHTS_AND_BIAS and storable != inputs:
            continue
        saved = sum(_saved_bytes(graph.tensors[index]) for index in storable)
        if storable and saved > 0:
            groups[number] = storable
    return groups


def _saved_bytes(tensor: TensorT) -> int:
    return int(2 * math.prod(tensor.shape) - _OPERATOR_BYTES)


def _is_storable(model: ModelT, graph: SubGraphT, index: int) -> bool:
    """Whether the tensor is a float32 constant of this graph alone, and float16 holds its values well enough."""
    tensor = graph.tensors[index]
    if tensor.type != TensorType.FLOAT32 or tensor.sparsity is not None or tensor.isVariable:
        return False
    if index in graph.inputs or index in graph.outputs or not is_constant(model, tensor):
        return False
    array = values(model, tensor)
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.max(np.abs(array.astype(np.float16).astype(np.float32) - array), initial=0.0)
        # Written so that infinities and NaN fail it.
        return bool(error <= _LARGEST_ERROR * np.max(np.abs(array), initial=0.0))


def _insert(model: ModelT, graph: SubGraphT, index: int, half: np.ndarray) -> None:
    """Put `half -> DEQUANTIZE -> tensor` before the tensor's first reader.

    The tensor keeps its index, and its name goes to the constant.
    """
    tensor = graph.tensors[index]
    source = TensorT()
    source.name, tensor.name = tensor.name, b""
    source.type = TensorType.FLOAT16
    source.shape = list(tensor.shape)
    source.buffer = add_buffer(model, half)
    graph.tensors.append(source)
    tensor.buffer = 0
    operator = OperatorT()
    operator.opcodeIndex = operator_codes.index_of(model, BuiltinOperator.DEQUANTIZE, _DEQUANTIZE_FLOAT16_VERSION)
    operator.inputs, operator.outputs, operator.intermediates = [len(graph.tensors) - 1], [index], []
    first_reader = next(number for number, reader in enumerate(graph.operators) if index in reader.inputs)
    graph.operators.insert(first_reader, operator)
