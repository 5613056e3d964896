"""What can be said of a model without running it: operators, weights, inputs and outputs, how it is stored."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..contract import IntegerTensors, Port, Signature
from .constants import is_constant
from .schema import (
    BuiltinOperator,
    ModelT,
    SubGraphT,
    TensorT,
    TensorType,
    builtin_code,
    operator_name,
    text,
    type_name,
)

_INTEGER_TYPES = (
    TensorType.INT4, TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.INT32,
)  # fmt: skip


def operator_counts(model: ModelT) -> dict[str, int]:
    """How often each operator occurs, by name."""
    names = [operator_name(code) for code in model.operatorCodes]
    counts = Counter(names[operator.opcodeIndex] for graph in model.subgraphs for operator in graph.operators)
    return dict(sorted(counts.items()))


def custom_operators(model: ModelT) -> list[str]:
    """Names of the operators that a plain interpreter does not know."""
    used = {operator.opcodeIndex for graph in model.subgraphs for operator in graph.operators}
    codes = [model.operatorCodes[index] for index in used]
    return sorted({operator_name(code) for code in codes if builtin_code(code) == BuiltinOperator.CUSTOM})


def weight_bytes(model: ModelT) -> dict[str, int]:
    """Bytes of constants by type; those stored sparsely are counted apart, as `FLOAT16 sparse`."""
    counts: Counter[str] = Counter()
    counted: set[int] = set()
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if is_constant(model, tensor) and tensor.buffer not in counted:
                counted.add(tensor.buffer)
                kind = type_name(tensor.type) + (" sparse" if tensor.sparsity is not None else "")
                counts[kind] += len(model.buffers[tensor.buffer].data)
    return dict(sorted(counts.items()))


def integer_quantized(model: ModelT) -> IntegerTensors:
    """How many tensors are integers with a scale, and how many of these are constants."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors if _is_integer_quantized(tensor)]
    return IntegerTensors(len(tensors), sum(is_constant(model, tensor) for tensor in tensors))


def _is_integer_quantized(tensor: TensorT) -> bool:
    parameters = tensor.quantization
    if parameters is None or tensor.type not in _INTEGER_TYPES:
        return False
    return parameters.details is not None or (parameters.scale is not None and len(parameters.scale) > 0)


def inputs(model: ModelT) -> tuple[Port, ...]:
    """The inputs of the main subgraph, in order."""
    graph: SubGraphT = model.subgraphs[0]
    return tuple(_port(graph.tensors[index]) for index in graph.inputs)


def outputs(model: ModelT) -> tuple[Port, ...]:
    """The outputs of the main subgraph, in order."""
    graph: SubGraphT = model.subgraphs[0]
    return tuple(_port(graph.tensors[index]) for index in graph.outputs)


def signatures(model: ModelT) -> tuple[Signature, ...]:
    """Each signature's key and the names that it gives to inputs and outputs, with their tensors' names."""
    return tuple(
        Signature(
            text(signature.signatureKey),
            _named(model, signature.subgraphIndex, signature.inputs),
            _named(model, signature.subgraphIndex, signature.outputs),
        )
        for signature in model.signatureDefs or []
    )


def metadata(model: ModelT) -> dict[str, bytes]:
    """The bytes of every metadata entry, by name (`TFLITE_METADATA` is what MediaPipe reads)."""
    found = {}
    for entry in model.metadata:
        data = model.buffers[entry.buffer].data
        found[text(entry.name)] = b"" if data is None else np.asarray(data, np.uint8).tobytes()
    return found


def _port(tensor: TensorT) -> Port:
    shape = tuple(int(size) for size in tensor.shape)
    signature = tensor.shapeSignature
    return Port(
        name=text(tensor.name),
        shape=shape,
        shape_signature=shape if signature is None else tuple(int(size) for size in signature),
        dtype=type_name(tensor.type),
    )


def _named(model: ModelT, graph: int, entries: list[Any] | None) -> dict[str, str]:
    tensors = model.subgraphs[graph].tensors
    return {text(entry.name): text(tensors[entry.tensorIndex].name) for entry in entries or []}
