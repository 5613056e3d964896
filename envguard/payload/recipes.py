"""Which weights become int8, decided from sizes alone, and in words what was decided."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .graph.constants import is_constant
from .graph.schema import BuiltinOperator, ModelT, SubGraphT, TensorT, TensorType, builtin_code

BYTES_PER_CHANNEL = 12
"""What a quantized channel carries beside its weights: a float32 scale and an int64 zero point."""

LEAST_SAVING = 0.25
"""Share of a float16 tensor's bytes that int8 must save to be worth its error.

Depthwise 3x3 kernels never do: 9 weights and 12 bytes of scale per channel are more than 18 bytes of float16.
"""

LEAST_BYTES = 1024
"""Float16 tensors below this are not worth an error: first layers are small, and every later layer sees their error."""

_KINDS = {
    # operator: the quantizer's name for it, and the dimension of its weights that has a scale per element
    BuiltinOperator.CONV_2D: ("CONV_2D", 0),
    BuiltinOperator.DEPTHWISE_CONV_2D: ("DEPTHWISE_CONV_2D", 3),
    BuiltinOperator.FULLY_CONNECTED: ("FULLY_CONNECTED", 0),
    BuiltinOperator.TRANSPOSE_CONV: ("CONV_2D_TRANSPOSE", 0),
}
_WEIGHTS = 1
"""Which input holds the weights, the same for all four kinds."""


@dataclass(frozen=True)
class Choice:
    """The operators whose weights become int8, as (kind, index of the output tensor) by subgraph."""

    operators: tuple[tuple[int, str, int], ...]
    int8_tensors: int
    int8_weights: int
    kept_tensors: int
    kept_weights: int

    def as_json(self) -> dict[str, object]:
        """The recipe in words and numbers."""
        return {
            "weights": "int8, symmetric, per output channel" if self.operators else "unchanged",
            "arithmetic": "float32",
            "inputs_and_outputs": "float32",
            "int8_tensors": self.int8_tensors,
            "int8_weights": self.int8_weights,
            "kept_float16_tensors": self.kept_tensors,
            "kept_float16_weights": self.kept_weights,
        }


def choose(model: ModelT) -> Choice:
    """Pick every constant float32 weight tensor for which int8 is clearly smaller than float16."""
    operators = []
    chosen: set[tuple[int, int]] = set()
    kept: set[tuple[int, int]] = set()
    for number, graph in enumerate(model.subgraphs):
        for operator in graph.operators:
            code = builtin_code(model.operatorCodes[operator.opcodeIndex])
            if code not in _KINDS or not _has_constant_weights(model, graph, operator.inputs):
                continue
            kind, channel_dimension = _KINDS[code]
            tensor = graph.tensors[operator.inputs[_WEIGHTS]]
            key = (number, operator.inputs[_WEIGHTS])
            if _is_worth_it(tensor, channel_dimension):
                operators.append((number, kind, operator.outputs[0]))
                chosen.add(key)
            else:
                kept.add(key)
    kept -= chosen
    return Choice(tuple(operators), len(chosen), _elements(model, chosen), len(kept), _elements(model, kept))


def _has_constant_weights(model: ModelT, graph: SubGraphT, inputs: list[int]) -> bool:
    if len(inputs) <= _WEIGHTS or inputs[_WEIGHTS] == -1:
        return False
    tensor = graph.tensors[inputs[_WEIGHTS]]
    return tensor.type == TensorType.FLOAT32 and tensor.sparsity is None and is_constant(model, tensor)


def _is_worth_it(tensor: TensorT, channel_dimension: int) -> bool:
    if len(tensor.shape) <= channel_dimension:
        return False
    weights = math.prod(tensor.shape)
    float16_bytes = 2 * weights
    int8_bytes = weights + BYTES_PER_CHANNEL * tensor.shape[channel_dimension]
    return bool(float16_bytes >= LEAST_BYTES and int8_bytes <= (1 - LEAST_SAVING) * float16_bytes)


def _elements(model: ModelT, tensors: set[tuple[int, int]]) -> int:
    return sum(math.prod(model.subgraphs[graph].tensors[index].shape) for graph, index in tensors)
