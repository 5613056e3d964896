"""Store the int8 weights that convolutions read themselves as the floats that they stand for.

This is what a GPU's delegate does while it loads a model, after which it computes in float. A CPU would round the
inputs too, so that what it answers says little of a GPU: to judge there what a GPU makes of a model, it gets this form.
"""

from __future__ import annotations

import numpy as np

from ...contract import AppliedPass
from ..constants import add_tensor, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code

NAME = "multiply_out"

_CONVOLUTIONS = (BuiltinOperator.CONV_2D, BuiltinOperator.DEPTHWISE_CONV_2D)


def apply(model: ModelT) -> AppliedPass:
    """Give every convolution with float inputs and int8 weights float32 weights."""
    changed = 0
    for graph in model.subgraphs:
        for operator in graph.operators:
            if _reads_int8(model, graph, operator):
                weights = graph.tensors[operator.inputs[1]]
                scale = np.array(weights.quantization.scale, np.float32)
                shape = [1] * len(weights.shape)
                shape[weights.quantization.quantizedDimension] = -1
                floats = values(model, weights).astype(np.float32) * scale.reshape(shape if len(scale) > 1 else [1])
                operator.inputs[1] = add_tensor(model, graph, weights.name or b"", floats, TensorType.FLOAT32)
                changed += 1
    return AppliedPass(NAME, changed, "int8 weights multiplied out, as a GPU does")


def _reads_int8(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) not in _CONVOLUTIONS:
        return False
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    is_int8 = weights.type == TensorType.INT8 and is_constant(model, weights) and weights.quantization is not None
    return bool(is_int8 and source.type == TensorType.FLOAT32)
