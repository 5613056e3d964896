"""Check that a well-formed model makes sense: every index names something, every constant has the size of its shape."""

from __future__ import annotations

import math

from .schema import (
    BuiltinOperator,
    ModelT,
    OperatorT,
    SubGraphT,
    TensorT,
    TensorType,
    builtin_code,
    operator_name,
    text,
    type_name,
)

BYTES_PER_ELEMENT = {
    TensorType.FLOAT32: 4, TensorType.FLOAT16: 2, TensorType.FLOAT64: 8,
    TensorType.INT8: 1, TensorType.UINT8: 1, TensorType.BOOL: 1,
    TensorType.INT16: 2, TensorType.UINT16: 2, TensorType.INT32: 4, TensorType.UINT32: 4,
    TensorType.INT64: 8, TensorType.UINT64: 8, TensorType.COMPLEX64: 8, TensorType.COMPLEX128: 16,
}  # fmt: skip
"""Types whose size follows from their shape; strings, resources, variants and sub-byte types are not here."""

MAX_ELEMENTS = 1 << 28
"""Of one tensor: a gibibyte of float32, far above what runs on a phone and below what brings a machine down."""

MAX_RANK = 16


_LEAST_OPERANDS = {
    BuiltinOperator.ADD: 2, BuiltinOperator.BATCH_MATMUL: 2, BuiltinOperator.CONV_2D: 2, BuiltinOperator.CONV_3D: 2,
    BuiltinOperator.CONV_3D_TRANSPOSE: 3, BuiltinOperator.DENSIFY: 1, BuiltinOperator.DEPTHWISE_CONV_2D: 2,
    BuiltinOperator.DEQUANTIZE: 1, BuiltinOperator.EMBEDDING_LOOKUP: 2, BuiltinOperator.FULLY_CONNECTED: 2,
    BuiltinOperator.GATHER: 2, BuiltinOperator.MUL: 2, BuiltinOperator.PRELU: 2, BuiltinOperator.QUANTIZE: 1,
    BuiltinOperator.SUB: 2, BuiltinOperator.TRANSPOSE_CONV: 3,
}  # fmt: skip
"""How many inputs those operators must have that graph passes look into; each has one output at least."""


class Inconsistent(ValueError):
    """Two parts of the model contradict each other; the text says which."""


def check(model: ModelT) -> None:
    """Return if every reference in the model can be followed; raises `Inconsistent` otherwise."""
    if not model.subgraphs:
        raise Inconsistent("it has no subgraph")
    if not model.buffers:
        raise Inconsistent("it has no buffers")
    for number, graph in enumerate(model.subgraphs):
        try:
            _check_graph(model, graph)
        except Inconsistent as cause:
            raise Inconsistent(f"in subgraph {number}, {cause}") from None
    for entry in model.metadata:
        _index(entry.buffer, len(model.buffers), f"metadata {text(entry.name)!r}", "buffer")
    for buffer in model.metadataBuffer:
        _index(buffer, len(model.buffers), "the metadata list", "buffer")
    _check_signatures(model)


def _check_graph(model: ModelT, graph: SubGraphT) -> None:
    for number, tensor in enumerate(graph.tensors):
        _check_tensor(model, tensor, f"tensor {number}")
    count = len(graph.tensors)
    for tensor_index in graph.inputs + graph.outputs:
        _index(tensor_index, count, "an input or output", "tensor")
    for number, operator in enumerate(graph.operators):
        _index(operator.opcodeIndex, len(model.operatorCodes), f"operator {number}", "operator code")
        for tensor_index in operator.inputs + operator.intermediates:
            if tensor_index != -1:  # -1 stands for an optional tensor that is left out.
                _index(tensor_index, count, f"operator {number}", "tensor")
        for tensor_index in operator.outputs:
            _index(tensor_index, count, f"operator {number}", "tensor")
        _check_operands(model, operator, number)
    _check_order(graph)


def _check_operands(model: ModelT, operator: OperatorT, number: int) -> None:
    code = model.operatorCodes[operator.opcodeIndex]
    least = _LEAST_OPERANDS.get(builtin_code(code))
    if least is None:
        return
    if len(operator.inputs) < least or -1 in operator.inputs[:least] or not operator.outputs:
        raise Inconsistent(f"operator {number}, {operator_name(code)}, lacks an input or output")


def _check_order(graph: SubGraphT) -> None:
    produced_by: dict[int, int] = {}
    for number, operator in enumerate(graph.operators):
        for tensor_index in operator.outputs:
            if tensor_index in produced_by or tensor_index in graph.inputs:
                raise Inconsistent(f"tensor {tensor_index} has two producers")
            produced_by[tensor_index] = number
    for number, operator in enumerate(graph.operators):
        for tensor_index in operator.inputs:
            if produced_by.get(tensor_index, -1) >= number:
                raise Inconsistent(f"operator {number} reads tensor {tensor_index} before it is made")


def _check_tensor(model: ModelT, tensor: TensorT, name: str) -> None:
    _index(tensor.buffer, len(model.buffers), name, "buffer")
    if len(tensor.shape) > MAX_RANK:
        raise Inconsistent(f"{name} has {len(tensor.shape)} dimensions")
    # -1 is a size that is known only when the model runs.
    if any(size < -1 for size in tensor.shape):
        raise Inconsistent(f"{name} has the shape {tensor.shape}")
    elements = math.prod(max(size, 1) for size in tensor.shape)
    if elements > MAX_ELEMENTS:
        raise Inconsistent(f"{name} claims {elements:,} elements")
    if tensor.sparsity is not None:
        return  # The decoder of sparse weights judges them.
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in BYTES_PER_ELEMENT:
        return
    expected = math.prod(tensor.shape) * BYTES_PER_ELEMENT[tensor.type]
    if len(data) != expected:
        raise Inconsistent(
            f"{name} of type {type_name(tensor.type)} and shape {tensor.shape} needs {expected:,} bytes "
            f"and has {len(data):,}"
        )
    _check_quantization(tensor, name)


def _check_quantization(tensor: TensorT, name: str) -> None:
    parameters = tensor.quantization
    if parameters is None or parameters.scale is None or len(parameters.scale) <= 1:
        return
    if not 0 <= parameters.quantizedDimension < len(tensor.shape):
        raise Inconsistent(f"{name} is quantized along dimension {parameters.quantizedDimension}")
    channels = tensor.shape[parameters.quantizedDimension]
    if len(parameters.scale) != channels:
        raise Inconsistent(f"{name} has {channels} channels and {len(parameters.scale)} scales")


def _check_signatures(model: ModelT) -> None:
    for signature in model.signatureDefs or []:
        name = f"signature {text(signature.signatureKey)!r}"
        _index(signature.subgraphIndex, len(model.subgraphs), name, "subgraph")
        tensors = len(model.subgraphs[signature.subgraphIndex].tensors)
        for entry in (signature.inputs or []) + (signature.outputs or []):
            _index(entry.tensorIndex, tensors, name, "tensor")


def _index(value: int, count: int, who: str, what: str) -> None:
    if not 0 <= value < count:
        raise Inconsistent(f"{who} names {what} {value} of {count}")
