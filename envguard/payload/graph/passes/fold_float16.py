"""Turn float16 constants behind DEQUANTIZE into the float32 constants that the graph computes with.

Converters store weights in this way to halve a file; a quantizer looks at the input of a convolution, finds the
output of DEQUANTIZE instead of a constant, and leaves it alone. Lossless: every float16 is a float32. Precondition:
sparse constants are dense already.
"""

from __future__ import annotations

import numpy as np

from ...contract import AppliedPass
from ..constants import add_buffer, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code

NAME = "fold_float16"


def apply(model: ModelT) -> AppliedPass:
    """Make the output of each such DEQUANTIZE a constant and remove the operator."""
    changed = 0
    for graph in model.subgraphs:
        folded = [operator for operator in graph.operators if _is_foldable(model, graph, operator)]
        for operator in folded:
            source = graph.tensors[operator.inputs[0]]
            target = graph.tensors[operator.outputs[0]]
            target.buffer = add_buffer(model, values(model, source).astype(np.float32))
            target.shape = list(source.shape)
        removed = {id(operator) for operator in folded}
        graph.operators = [operator for operator in graph.operators if id(operator) not in removed]
        changed += len(folded)
    return AppliedPass(NAME, changed, "float16 constants behind DEQUANTIZE folded to float32")


def _is_foldable(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) != BuiltinOperator.DEQUANTIZE:
        return False
    source = graph.tensors[operator.inputs[0]]
    target = graph.tensors[operator.outputs[0]]
    return (
        source.type == TensorType.FLOAT16
        and target.type == TensorType.FLOAT32
        and source.sparsity is None
        and is_constant(model, source)
        and operator.outputs[0] not in graph.outputs
    )
