"""Store constants that are mostly zeros as sparse, behind DENSIFY, wherever that makes the file smaller.

Undoes `densify` for models that came with sparse weights: in MediaPipe's, seven of ten weights are zero, and int8 for
each of them would take more bytes than float16 for the others. Lossless. The layout is the one that those models use:
all dimensions dense but the innermost, whose rows are compressed (CSR).
"""

from __future__ import annotations

import numpy as np

from ...contract import AppliedPass
from ..constants import add_buffer, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code, generated
from . import operator_codes

NAME = "store_sparse"

_OPERATOR_BYTES = 400
"""What one more operator, tensor, buffer and table of sparsity cost in a file, rounded up."""

_DENSIFY_VERSION = 1

_TYPES = (TensorType.INT8, TensorType.FLOAT16)


def apply(model: ModelT) -> AppliedPass:
    """Do so for every int8 or float16 constant that DEQUANTIZE reads, and that gains by it."""
    changed = 0
    for graph in model.subgraphs:
        for operator in list(graph.operators):
            if builtin_code(model.operatorCodes[operator.opcodeIndex]) == BuiltinOperator.DEQUANTIZE:
                changed += _store(model, graph, operator)
    return AppliedPass(NAME, changed, "constants that are mostly zeros stored as sparse")


def _store(model: ModelT, graph: SubGraphT, reader: OperatorT) -> bool:
    tensor = graph.tensors[reader.inputs[0]]
    if tensor.type not in _TYPES or not is_constant(model, tensor) or tensor.sparsity is not None or not tensor.shape:
        return False
    dense = values(model, tensor)
    rows = dense.reshape(-1, dense.shape[-1])
    segments = np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))])
    indices = np.nonzero(rows)[1]
    stored = rows[np.nonzero(rows)]
    sparsity = _sparsity(dense.shape, _narrow(segments), _narrow(indices))
    sparse_bytes = stored.nbytes + _narrow(segments).nbytes + _narrow(indices).nbytes + _OPERATOR_BYTES
    if sparse_bytes >= dense.nbytes:
        return False
    _insert(model, graph, reader, stored, sparsity)
    return True


def _insert(model: ModelT, graph: SubGraphT, reader: OperatorT, stored: np.ndarray, sparsity: object) -> None:
    """Put `sparse -> DENSIFY` before the reader; the sparse tensor takes the name, both have the quantization."""
    tensor = graph.tensors[reader.inputs[0]]
    source = TensorT()
    source.name, tensor.name = tensor.name, b""
    source.type, source.shape, source.quantization = tensor.type, list(tensor.shape), tensor.quantization
    source.buffer, source.sparsity = add_buffer(model, stored), sparsity
    tensor.buffer = 0
    graph.tensors.append(source)
    operator = OperatorT()
    operator.opcodeIndex = operator_codes.index_of(model, BuiltinOperator.DENSIFY, _DENSIFY_VERSION)
    operator.inputs, operator.outputs, operator.intermediates = [len(graph.tensors) - 1], [reader.inputs[0]], []
    place = next(number for number, other in enumerate(graph.operators) if reader.inputs[0] in other.inputs)
    graph.operators.insert(place, operator)


def _sparsity(shape: tuple[int, ...], segments: np.ndarray, indices: np.ndarray) -> object:
    sparsity = generated.SparsityParametersT()
    sparsity.traversalOrder = np.arange(len(shape), dtype=np.int32)
    sparsity.dimMetadata = []
    for size in shape[:-1]:
        level = generated.DimensionMetadataT()
        level.format, level.denseSize = generated.DimensionType.DENSE, size
        sparsity.dimMetadata.append(level)
    level = generated.DimensionMetadataT()
    level.format = generated.DimensionType.SPARSE_CSR
    level.arraySegmentsType, level.arraySegments = _index_vector(segments)
    level.arrayIndicesType, level.arrayIndices = _index_vector(indices)
    sparsity.dimMetadata.append(level)
    return sparsity


def _narrow(array: np.ndarray) -> np.ndarray:
    """The array in the narrowest of the three types that the schema offers."""
    largest = int(array.max(initial=0))
    return array.astype(np.uint8 if largest < 1 << 8 else np.uint16 if largest < 1 << 16 else np.int32)


def _index_vector(array: np.ndarray) -> tuple[int, object]:
    kinds = generated.SparseIndexVector
    kind, vector = {
        "uint8": (kinds.Uint8Vector, generated.Uint8VectorT()),
        "uint16": (kinds.Uint16Vector, generated.Uint16VectorT()),
        "int32": (kinds.Int32Vector, generated.Int32VectorT()),
    }[array.dtype.name]
    vector.values = array
    return kind, vector
