"""Store float32 constants as float16 behind DEQUANTIZE, as converters do, wherever that makes the file smaller.

Lossless where every value is a float16 already, which holds for all that came out of `fold_float16`; elsewhere it
rounds to 11 bits. Runtimes undo it once, before the first run: XNNPACK when it takes the graph, the plain kernel on
its first invocation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .constants import add_buffer, is_constant, values
from .report import PassReport
from .schema import (
    BuiltinOperator,
    ModelT,
    OperatorCodeT,
    OperatorT,
    SubGraphT,
    TensorT,
    TensorType,
    builtin_code,
)

NAME = "store_float16"

_DEQUANTIZE_FLOAT16_VERSION = 3
_LARGEST_ERROR = 2.0**-11
"""Relative to the tensor's largest magnitude: the rounding error of a normal float16."""

_OPERATOR_BYTES = 200
"""What one more operator, tensor and buffer cost in a file."""

_OPERANDS = {
    BuiltinOperator.CONV_2D: 1,
    BuiltinOperator.DEPTHWISE_CONV_2D: 1,
    BuiltinOperator.FULLY_CONNECTED: 1,
    BuiltinOperator.TRANSPOSE_CONV: 1,
    BuiltinOperator.PRELU: 1,
    BuiltinOperator.ADD: 1,
    BuiltinOperator.MUL: 1,
    BuiltinOperator.SUB: 1,
}
"""Which input of which operators may come out of DEQUANTIZE without leaving XNNPACK's fast path."""

_BIASES = {
    BuiltinOperator.CONV_2D: 2,
    BuiltinOperator.DEPTHWISE_CONV_2D: 2,
    BuiltinOperator.FULLY_CONNECTED: 2,
}
"""The same for biases, if the weights are float16 as well.

Measured with LiteRT 2.3: a float16 bias beside int8 or float32 weights makes whole models 1.1 to 3 times slower.
"""


def apply(model: ModelT) -> PassReport:
    """Do so for every eligible constant that is large enough to pay for the operator."""
    errors = []
    for graph in model.subgraphs:
        errors += _store(model, graph, _eligible(model, graph, _OPERANDS, lambda _: True))
        halves = _outputs_of_float16(graph)
        weights_are_half = lambda operator, halves=halves: operator.inputs[1] in halves  # noqa: E731
        errors += _store(model, graph, _eligible(model, graph, _BIASES, weights_are_half))
    what = "remaining float32 constants stored as float16"
    return PassReport(NAME, len(errors), what, lossless=not any(errors))


def _eligible(
    model: ModelT, graph: SubGraphT, operands: Mapping[int, int], accepts: Callable[[OperatorT], bool]
) -> list[int]:
    """Dense float32 constants that are read as such an operand of such operators, and in no other way."""
    fitting: set[int] = set()
    barred = {*graph.inputs, *graph.outputs, -1}
    for operator in graph.operators:
        place = operands.get(builtin_code(model.operatorCodes[operator.opcodeIndex]), -1)
        for number, index in enumerate(operator.inputs):
            (fitting if number == place and accepts(operator) else barred).add(index)
    return [
        index
        for index in sorted(fitting - barred)
        if graph.tensors[index].type == TensorType.FLOAT32
        and graph.tensors[index].sparsity is None
        and not graph.tensors[index].isVariable
        and is_constant(model, graph.tensors[index])
    ]


def _store(model: ModelT, graph: SubGraphT, indices: list[int]) -> list[float]:
    """Store those of the tensors that gain by it; the largest error of each."""
    errors = []
    for index in indices:
        array = values(model, graph.tensors[index])
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        error = float(np.max(np.abs(half.astype(np.float32) - array), initial=0.0))
        # Written so that infinities and NaN fail it.
        if array.nbytes - half.nbytes > _OPERATOR_BYTES and error <= _LARGEST_ERROR * float(
            np.max(np.abs(array), initial=0.0)
        ):
            _insert(model, graph, index, half)
            errors.append(error)
    return errors


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
    operator.opcodeIndex = _dequantize_code(model)
    operator.inputs, operator.outputs, operator.intermediates = [len(graph.tensors) - 1], [index], []
    first_reader = next(number for number, reader in enumerate(graph.operators) if index in reader.inputs)
    graph.operators.insert(first_reader, operator)


def _outputs_of_float16(graph: SubGraphT) -> set[int]:
    """Tensors that are made from one float16 tensor, which only DEQUANTIZE does."""
    return {
        operator.outputs[0]
        for operator in graph.operators
        if len(operator.inputs) == 1 and graph.tensors[operator.inputs[0]].type == TensorType.FLOAT16
    }


def _dequantize_code(model: ModelT) -> int:
    for index, code in enumerate(model.operatorCodes):
        if builtin_code(code) == BuiltinOperator.DEQUANTIZE:
            code.version = max(code.version, _DEQUANTIZE_FLOAT16_VERSION)
            return index
    code = OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = BuiltinOperator.DEQUANTIZE
    code.version = _DEQUANTIZE_FLOAT16_VERSION
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
