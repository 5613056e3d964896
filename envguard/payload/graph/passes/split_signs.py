"""Let a convolution that computes in int8 read what is above zero and what is below in two goes.

Runtimes round the float input of such a convolution in one step for its whole range. Behind PRELU most of that range is
above zero, and each of the two parts gets steps of its own: with the last layer of MediaPipe's face landmark model, the
error that rounding its input makes falls to less than half. Both goes read the same weights, so the file does not grow;
the layer computes twice as much, which is worth it where it is a small part of the model. Lossless in float, up to the
order of sums.
"""

from __future__ import annotations

import copy
from collections.abc import Collection

from ...contract import AppliedPass
from ..constants import add_tensor, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code, generated
from . import operator_codes

NAME = "split_signs"

_NONE = generated.ActivationFunctionType.NONE


def apply(model: ModelT, outputs: Collection[int]) -> AppliedPass:
    """Split the convolutions that make those tensors of the main subgraph."""
    graph = model.subgraphs[0]
    chosen = [each for each in graph.operators if _is_splittable(model, graph, each) and each.outputs[0] in outputs]
    for operator in chosen:
        place = next(number for number, each in enumerate(graph.operators) if each is operator)
        graph.operators[place : place + 1] = _split(model, graph, operator)
    return AppliedPass(NAME, len(chosen), "convolutions that read what is above zero and what is below in two goes")


def _split(model: ModelT, graph: SubGraphT, operator: OperatorT) -> list[OperatorT]:
    source, output = operator.inputs[0], operator.outputs[0]
    above, below = _like(graph, source), _like(graph, source)
    first, second = _like(graph, output), _like(graph, output)
    one, other = copy.deepcopy(operator), copy.deepcopy(operator)
    activation = operator.builtinOptions.fusedActivationFunction
    one.builtinOptions.fusedActivationFunction = other.builtinOptions.fusedActivationFunction = _NONE
    half = _half_bias(model, graph, operator)
    one.inputs, other.inputs = [above, operator.inputs[1], half], [below, operator.inputs[1], half]
    one.outputs, other.outputs = [first], [second]
    options = generated.SubOptionsT(), generated.AddOptionsT()
    options[1].fusedActivationFunction = activation
    return [
        _operator(model, BuiltinOperator.RELU, [source], above),
        _operator(model, BuiltinOperator.SUB, [source, above], below, options[0], generated.BuiltinOptions.SubOptions),
        one,
        other,
        _operator(model, BuiltinOperator.ADD, [first, second], output, options[1], generated.BuiltinOptions.AddOptions),
    ]


def _half_bias(model: ModelT, graph: SubGraphT, operator: OperatorT) -> int:
    """For both goes: operators without a bias are not taken everywhere, and one of zeros would take space."""
    tensor = graph.tensors[operator.inputs[2]]
    return add_tensor(model, graph, tensor.name or b"", values(model, tensor) / 2, TensorType.FLOAT32)


def _operator(
    model: ModelT, number: int, inputs: list[int], output: int, options: object = None, options_type: int = 0
) -> OperatorT:
    operator = OperatorT()
    operator.opcodeIndex = operator_codes.index_of(model, number, 1)
    operator.inputs, operator.outputs, operator.intermediates = inputs, [output], []
    operator.builtinOptions, operator.builtinOptionsType = options, options_type
    return operator


def _like(graph: SubGraphT, index: int) -> int:
    tensor = copy.copy(graph.tensors[index])
    tensor.name, tensor.buffer = b"", 0
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _is_splittable(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    """Whether it is a convolution with a constant float bias."""
    is_convolution = builtin_code(model.operatorCodes[operator.opcodeIndex]) == BuiltinOperator.CONV_2D
    if not is_convolution or len(operator.inputs) != 3 or operator.inputs[2] == -1:
        return False
    bias = graph.tensors[operator.inputs[2]]
    return bool(bias.type == TensorType.FLOAT32) and is_constant(model, bias)
