"""Check that a well-formed model makes sense: every index names something, every constant has the size of its shape."""

from __future__ import annotations

import math

from . import operator_rules
from .constants import is_constant
from .schema import (
    ModelT,
    OperatorT,
    SubGraphT,
    TensorT,
    TensorType,
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


MAX_PORTS = 1024
"""Inputs, or outputs, of one subgraph; language models with their caches have about 200."""

MAX_READ = 64
MAX_READ_BYTES = 64 << 20
"""What operators and metadata read of constants may be so many times the file's constants, and so many bytes more.

Operators may share a constant, and passes look into it, or fold it, once for each; a sparse one counts as dense.
"""

MAX_OPERATORS = 1 << 16

MAX_CODES = 1 << 10


class Inconsistent(ValueError):
    """Two parts of the model contradict each other; the text says which."""


def check(model: ModelT) -> None:
    """Return if every reference in the model can be followed; raises `Inconsistent` otherwise."""
    if not model.subgraphs:
        raise Inconsistent("it has no subgraph")
    if not model.buffers:
        raise Inconsistent("it has no buffers")
    _most(len(model.operatorCodes), MAX_CODES, "operator codes")
    for number, graph in enumerate(model.subgraphs):
        try:
            _check_graph(model, graph)
        except Inconsistent as cause:
            raise Inconsistent(f"in subgraph {number}, {cause}") from None
    for entry in model.metadata:
        _index(entry.buffer, len(model.buffers), f"metadata {text(entry.name)!r}", "buffer")
    for buffer in model.metadataBuffer:
        _index(buffer, len(model.buffers), "the metadata list", "buffer")
    _check_read(model)
    _check_signatures(model)
    _check_calls(model)


def _check_graph(model: ModelT, graph: SubGraphT) -> None:
    for number, tensor in enumerate(graph.tensors):
        _check_tensor(model, tensor, f"tensor {number}")
    count = len(graph.tensors)
    _most(len(graph.operators), MAX_OPERATORS, "operators")
    _most(max(len(graph.inputs), len(graph.outputs)), MAX_PORTS, "inputs or outputs")
    for tensor_index in graph.inputs + graph.outputs:
        _index(tensor_index, count, "an input or output", "tensor")
    for number, operator in enumerate(graph.operators):
        _index(operator.opcodeIndex, len(model.operatorCodes), f"operator {number}", "operator code")
        for tensor_index in operator.inputs + operator.intermediates:
            if tensor_index != -1:  # -1 stands for an optional tensor that is left out.
                _index(tensor_index, count, f"operator {number}", "tensor")
        for tensor_index in operator.outputs:
            _index(tensor_index, count, f"operator {number}", "tensor")
        _check_operands(model, graph, operator, number)
    _check_order(model, graph)


def _check_operands(model: ModelT, graph: SubGraphT, operator: OperatorT, number: int) -> None:
    missing = operator_rules.missing(model, graph, operator)
    if missing:
        code = model.operatorCodes[operator.opcodeIndex]
        raise Inconsistent(f"operator {number}, {operator_name(code)}, {missing}")


def _check_order(model: ModelT, graph: SubGraphT) -> None:
    produced_by: dict[int, int] = {}
    inputs = set(graph.inputs)
    for number, operator in enumerate(graph.operators):
        for tensor_index in operator.outputs:
            if tensor_index in produced_by or tensor_index in inputs:
                raise Inconsistent(f"tensor {tensor_index} has two producers")
            produced_by[tensor_index] = number
    for tensor_index in graph.outputs:
        tensor = graph.tensors[tensor_index]
        is_made = tensor_index in produced_by or tensor_index in inputs or tensor.isVariable
        if not is_made and not is_constant(model, tensor):
            raise Inconsistent(f"tensor {tensor_index} is an output that nothing makes")
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
    if tensor.shapeSignature is not None and len(tensor.shapeSignature) != len(tensor.shape):
        raise Inconsistent(f"{name} has the shape {tensor.shape} and a signature of {len(tensor.shapeSignature)} sizes")
    elements = math.prod(max(size, 1) for size in tensor.shape)
    if elements > MAX_ELEMENTS:
        raise Inconsistent(f"{name} claims {elements:,} elements")
    _check_quantization(tensor, name)
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


def _check_quantization(tensor: TensorT, name: str) -> None:
    parameters = tensor.quantization
    scales = 0 if parameters is None or parameters.scale is None else len(parameters.scale)
    zeros = 0 if not scales or parameters.zeroPoint is None else len(parameters.zeroPoint)
    if zeros not in (0, 1, scales):
        raise Inconsistent(f"{name} has {scales} scales and {zeros} zero points")
    if scales <= 1:
        return
    if not 0 <= parameters.quantizedDimension < len(tensor.shape):
        raise Inconsistent(f"{name} is quantized along dimension {parameters.quantizedDimension}")
    channels = tensor.shape[parameters.quantizedDimension]
    if scales != channels:
        raise Inconsistent(f"{name} has {channels} channels and {scales} scales")


def _check_read(model: ModelT) -> None:
    stored = [0 if buffer.data is None else len(buffer.data) for buffer in model.buffers]
    most = MAX_READ * sum(stored) + MAX_READ_BYTES
    read = sum(stored[entry.buffer] for entry in model.metadata) + sum(stored[index] for index in model.metadataBuffer)
    for graph in model.subgraphs:
        sizes = [_constant_bytes(tensor, stored[tensor.buffer]) for tensor in graph.tensors]
        read += sum(size for size, tensor in zip(sizes, graph.tensors) if tensor.sparsity is not None)  # noqa: B905
        read += sum(sizes[index] for operator in graph.operators for index in operator.inputs if index != -1)
    if read > most:
        raise Inconsistent(f"its constants are shared until they are {read:,} bytes, of which {most:,} are taken")


def _constant_bytes(tensor: TensorT, stored: int) -> int:
    """What a constant takes once it is dense; `stored` is the size of its buffer."""
    if tensor.sparsity is None or not stored:
        return stored
    return int(math.prod(max(size, 0) for size in tensor.shape)) * BYTES_PER_ELEMENT.get(tensor.type, 1)


def _check_calls(model: ModelT) -> None:
    """Subgraphs that run each other may not come round to themselves: interpreters follow them without end."""
    calls: list[set[int]] = []
    for number, graph in enumerate(model.subgraphs):
        calls.append({index for operator in graph.operators for index in operator_rules.called(operator)})
        for index in calls[-1]:
            _index(index, len(model.subgraphs), f"an operator of subgraph {number}", "subgraph")
    waiting = set(range(len(calls)))
    while waiting:
        ended = {number for number in waiting if not calls[number] & waiting}
        if not ended:
            raise Inconsistent(f"subgraph {min(waiting)} runs itself, by way of others or directly")
        waiting -= ended


def _check_signatures(model: ModelT) -> None:
    for signature in model.signatureDefs or []:
        name = f"signature {text(signature.signatureKey)!r}"
        _index(signature.subgraphIndex, len(model.subgraphs), name, "subgraph")
        tensors = len(model.subgraphs[signature.subgraphIndex].tensors)
        for entry in (signature.inputs or []) + (signature.outputs or []):
            _index(entry.tensorIndex, tensors, name, "tensor")


def _most(count: int, most: int, what: str) -> None:
    if count > most:
        raise Inconsistent(f"it has {count:,} {what}, of which {most:,} are taken")


def _index(value: int, count: int, who: str, what: str) -> None:
    if not 0 <= value < count:
        raise Inconsistent(f"{who} names {what} {value} of {count}")
