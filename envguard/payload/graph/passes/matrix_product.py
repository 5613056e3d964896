"""Write 1×1 convolutions over tensors one row high as what they are: FULLY_CONNECTED, a matrix product.

Converters write the dense layers of transformers and mixers as convolutions. Runtimes have int8 kernels with float
inputs and outputs for matrix products, which for those layers are several times faster than float ones. Lossless, up
to the order of a sum. A single pixel is left alone: with one row to multiply there is little to gain, and it is mostly
the last layer, whose error nothing hides.
"""

from __future__ import annotations

import copy

from ...contract import AppliedPass
from ..constants import is_constant
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code, generated
from . import operator_codes

NAME = "matrix_product"

_KEEPS_DIMENSIONS_VERSION = 5
"""Of FULLY_CONNECTED, in which `keep_num_dims` means what it says."""


def apply(model: ModelT) -> AppliedPass:
    """Rewrite every such convolution; its output keeps its shape."""
    changed = 0
    for graph in model.subgraphs:
        for operator in graph.operators:
            if _is_product(model, graph, operator):
                _rewrite(model, graph, operator)
                changed += 1
    return AppliedPass(NAME, changed, "1×1 convolutions over one row written as matrix products")


def _is_product(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) != BuiltinOperator.CONV_2D:
        return False
    options = operator.builtinOptions
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    return (
        options is not None
        and (options.strideH, options.strideW) == (1, 1)
        and len(weights.shape) == len(source.shape) == 4
        and list(weights.shape[1:3]) == [1, 1]
        and weights.shape[3] == source.shape[3]
        and source.shape[1] == 1 < source.shape[2]
        and weights.type == source.type == TensorType.FLOAT32
        and weights.sparsity is None
        and is_constant(model, weights)
    )


def _rewrite(model: ModelT, graph: SubGraphT, operator: OperatorT) -> None:
    matrix = copy.copy(graph.tensors[operator.inputs[1]])
    matrix.shape = [matrix.shape[0], matrix.shape[3]]
    matrix.shapeSignature = None
    graph.tensors.append(matrix)
    operator.inputs[1] = len(graph.tensors) - 1
    options = generated.FullyConnectedOptionsT()
    options.fusedActivationFunction = operator.builtinOptions.fusedActivationFunction
    options.keepNumDims = True
    operator.builtinOptions = options
    operator.builtinOptionsType = generated.BuiltinOptions.FullyConnectedOptions
    operator.opcodeIndex = operator_codes.index_of(model, BuiltinOperator.FULLY_CONNECTED, _KEEPS_DIMENSIONS_VERSION)
