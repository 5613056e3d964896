"""Turn sparse constants, and DENSIFY operators over them, into plain dense constants.

Other passes and the quantizer only see dense ones. Lossless: what a sparse constant leaves out is zero. The layout is
TFLite's (schema.fbs, SparsityParameters): levels in traversal order, each dense or compressed rows (CSR), inner levels
may split an outer dimension into blocks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...contract import AppliedPass
from ...protocol import Refused
from ..constants import NUMPY_TYPES, add_buffer, is_constant
from ..schema import BuiltinOperator, ModelT, SubGraphT, TensorT, builtin_code, generated, text

NAME = "densify"
MAX_ELEMENTS = 1 << 28


def apply(model: ModelT) -> AppliedPass:
    """Make every sparse constant dense and drop the DENSIFY operators that are left with nothing to do."""
    changed = 0
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.sparsity is not None and is_constant(model, tensor):
                tensor.buffer = add_buffer(model, dense_values(model, tensor))
                tensor.sparsity = None
                changed += 1
        _drop_densify(model, graph)
    return AppliedPass(NAME, changed, "sparse constants made dense")


def dense_values(model: ModelT, tensor: TensorT) -> np.ndarray:
    """A sparse constant's values in full; `Refused` if its indices lead outside of its shape."""
    elements = math.prod(tensor.shape)
    if tensor.type not in NUMPY_TYPES or elements > MAX_ELEMENTS:
        raise Refused(f"The sparse tensor {text(tensor.name)!r} is of a type or size that is not supported.")
    try:
        stored = np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(NUMPY_TYPES[tensor.type])
        places, coordinates = _expand(tensor.sparsity, len(tensor.shape), elements)
        dense = np.zeros(tensor.shape, stored.dtype)
        dense[coordinates] = stored[places]
    except (IndexError, ValueError, TypeError, AttributeError) as cause:
        raise Refused(f"The sparse tensor {text(tensor.name)!r} is damaged.", why=str(cause)) from cause
    return dense


def _expand(sparsity: Any, rank: int, elements: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """For each stored value its place in storage and its index in every dimension of the dense tensor."""
    order = [int(dimension) for dimension in sparsity.traversalOrder]
    block_map = [] if sparsity.blockMap is None else [int(dimension) for dimension in sparsity.blockMap]
    if sorted(order) != list(range(rank + len(block_map))) or len(sparsity.dimMetadata) != len(order):
        raise ValueError("its levels do not match its dimensions")
    places = np.zeros(1, np.int64)
    by_dimension: dict[int, np.ndarray] = {}
    block_sizes: dict[int, int] = {}
    for dimension, level in zip(order, sparsity.dimMetadata):  # noqa: B905 - Python 3.9 has no strict=
        if level.format == generated.DimensionType.DENSE:
            block_sizes[dimension] = int(level.denseSize)
            counts = np.full(len(places), level.denseSize, np.int64)
            starts = places * level.denseSize
        else:
            segments = np.asarray(level.arraySegments.values, np.int64)
            starts, counts = segments[places], segments[places + 1] - segments[places]
        if counts.min(initial=0) < 0 or int(counts.sum()) > elements:
            raise ValueError("its levels hold more values than its shape")
        ranks = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        by_dimension = {known: np.repeat(index, counts) for known, index in by_dimension.items()}
        places = np.repeat(starts, counts) + ranks
        is_dense = level.format == generated.DimensionType.DENSE
        by_dimension[dimension] = ranks if is_dense else np.asarray(level.arrayIndices.values, np.int64)[places]
    for block, dimension in enumerate(block_map):
        inner = by_dimension[rank + block]
        by_dimension[dimension] = by_dimension[dimension] * block_sizes[rank + block] + inner
    return places, tuple(by_dimension[dimension] for dimension in range(rank))


def _drop_densify(model: ModelT, graph: SubGraphT) -> None:
    kept = []
    for operator in graph.operators:
        code = builtin_code(model.operatorCodes[operator.opcodeIndex])
        source = graph.tensors[operator.inputs[0]] if operator.inputs else None
        if code != BuiltinOperator.DENSIFY or source is None or not is_constant(model, source):
            kept.append(operator)
            continue
        target = graph.tensors[operator.outputs[0]]
        target.buffer, target.shape = source.buffer, list(source.shape)
    graph.operators = kept
