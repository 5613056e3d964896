"""Let the operator before a RELU or RELU6 do the clamping.

One pass over the tensor less, and one tensor less. Lossless: the clamped values are the same. Precondition: the RELU
is the only reader of what it clamps, and that is no output of the graph.
"""

from __future__ import annotations

from collections import Counter

from ...contract import AppliedPass
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code, generated

NAME = "fuse_activation"

_Activation = generated.ActivationFunctionType
_FUSED = {
    BuiltinOperator.RELU: _Activation.RELU,
    BuiltinOperator.RELU6: _Activation.RELU6,
    BuiltinOperator.RELU_N1_TO_1: _Activation.RELU_N1_TO_1,
}
_TAKERS = (
    BuiltinOperator.ADD,
    BuiltinOperator.CONV_2D,
    BuiltinOperator.DEPTHWISE_CONV_2D,
    BuiltinOperator.FULLY_CONNECTED,
    BuiltinOperator.MUL,
    BuiltinOperator.SUB,
)


def apply(model: ModelT) -> AppliedPass:
    """Fuse wherever the precondition holds; the operator before then makes the tensor that the RELU made."""
    changed = 0
    for graph in model.subgraphs:
        readers = Counter(index for operator in graph.operators for index in operator.inputs)
        makers = {index: operator for operator in graph.operators for index in operator.outputs}
        gone = set()
        for operator in graph.operators:
            maker = makers.get(operator.inputs[0]) if len(operator.inputs) else None
            if maker is None or not _is_fusable(model, graph, maker, operator, readers):
                continue
            maker.builtinOptions.fusedActivationFunction = _FUSED[_code(model, operator)]
            maker.outputs = list(operator.outputs)
            makers[operator.outputs[0]] = maker
            gone.add(id(operator))
        graph.operators = [operator for operator in graph.operators if id(operator) not in gone]
        changed += len(gone)
    return AppliedPass(NAME, changed, "RELUs fused into the operators before them")


def _is_fusable(model: ModelT, graph: SubGraphT, maker: OperatorT, operator: OperatorT, readers: Counter[int]) -> bool:
    source = operator.inputs[0]
    return (
        _code(model, operator) in _FUSED
        and _code(model, maker) in _TAKERS
        and maker.builtinOptions is not None
        and maker.builtinOptions.fusedActivationFunction == _Activation.NONE
        and readers[source] == 1
        and source not in graph.outputs
        and all(graph.tensors[index].type == TensorType.FLOAT32 for index in (source, operator.outputs[0]))
    )


def _code(model: ModelT, operator: OperatorT) -> int:
    return builtin_code(model.operatorCodes[operator.opcodeIndex])
