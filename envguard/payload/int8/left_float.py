"""Say why a model keeps its float constants: which operator holds most of their bytes, and what int8 would do there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..graph.constants import is_constant, values
from ..graph.int8_layouts import MOST_ERROR
from ..graph.passes import store_int8
from ..graph.schema import ModelT, OperatorT, SubGraphT, TensorType, builtin_code, operator_name
from . import recipes

LEAST_PART = 0.1
"""Of a file, that a constant must be for its operator to be named."""


def reason(model: ModelT, layers: Sequence[recipes.Layer], file_bytes: int) -> str:
    """Why no int8, for a model after `drafting.prepare`, its layers, in a file of `file_bytes`."""
    if any(layer.worthwhile for layer in layers):
        return "int8 would suit only layers that make outputs, which this goal leaves float"
    largest = max(_float_constants(model), key=lambda each: _bytes(model, each[0], each[2]), default=None)
    if largest is None:
        return "it has no float weights"
    graph, operator, index = largest
    size = _bytes(model, graph, index)
    if size < LEAST_PART * file_bytes:
        return "no weights that int8 would make the file much smaller by"
    code = model.operatorCodes[operator.opcodeIndex]
    held = f"{operator_name(code)} holds {size:,} of {file_bytes:,} bytes"
    if not np.isfinite(values(model, graph.tensors[index])).all():
        return f"{held}, and some of them are NaN or infinite"
    constant = next((each for each in store_int8.storable(model, graph) if each.tensor == index), None)
    if constant is not None and store_int8.layout(model, graph, constant) is None:
        return f"{held}, and int8 would move a row or column of them by more than {MOST_ERROR:.0%}"
    if constant is None and not recipes.is_product(builtin_code(code)):
        return f"{held}, in constants that cannot be stored as int8"
    return f"{held}, and int8 would not make that much smaller"


def _float_constants(model: ModelT) -> Iterator[tuple[SubGraphT, OperatorT, int]]:
    """With the operators that read them."""
    for graph in model.subgraphs:
        for operator in graph.operators:
            for index in set(operator.inputs) - {-1}:
                tensor = graph.tensors[index]
                if tensor.type == TensorType.FLOAT32 and is_constant(model, tensor):
                    yield graph, operator, index


def _bytes(model: ModelT, graph: SubGraphT, index: int) -> int:
    return len(model.buffers[graph.tensors[index].buffer].data)
