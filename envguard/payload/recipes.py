"""Which weights become int8, decided from sizes alone, and in words what was decided."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .goals import BALANCED, Goal
from .graph.constants import is_constant, values
from .graph.schema import BuiltinOperator, ModelT, SubGraphT, TensorT, TensorType, builtin_code

BYTES_PER_CHANNEL = 12
"""What a quantized channel carries beside its weights: a float32 scale and an int64 zero point."""

LEAST_SAVING = 0.25
"""Share of a float16 tensor's bytes that int8 must save to be worth its error.

Depthwise 3x3 kernels never do: 9 weights and 12 bytes of scale per channel are more than 18 bytes of float16.
"""

SMALL_PART = 1 / 25
"""Share of the whole file that int8 must save in a model, or half of its weights, those nearer to the outputs, stay.

Errors near the outputs matter most, and so small a model is often the one that tells another where to look: with
MediaPipe's face landmarker, landmarks move 0.35 px on average with the whole body of the detector in int8, 0.27 px with
its first half, and 0.26 px with none of it.
"""

_KINDS = {
    # operator: the quantizer's name for it, and the dimension of its weights that has a scale per element
    BuiltinOperator.CONV_2D: ("CONV_2D", 0),
    BuiltinOperator.DEPTHWISE_CONV_2D: ("DEPTHWISE_CONV_2D", 3),
    BuiltinOperator.FULLY_CONNECTED: ("FULLY_CONNECTED", 0),
    BuiltinOperator.TRANSPOSE_CONV: ("CONV_2D_TRANSPOSE", 0),
}
DYNAMIC = ("FULLY_CONNECTED",)
"""Kinds that compute in int8 as well: runtimes have fast kernels for them, with a scale for each row of the input.

Of convolutions, measured with LiteRT 2.3, int8 kernels with float inputs are slower than float ones where channels
are few, and two to four times slower for depthwise ones.
"""

_WEIGHTS = 1
"""Which input holds the weights, the same for all four kinds."""


@dataclass(frozen=True)
class Weights:
    """One constant weight tensor, by subgraph and index, and the dimension that has a scale per element."""

    graph: int
    tensor: int
    channel_dimension: int


@dataclass(frozen=True)
class Operator:
    """One operator whose weights become int8: the quantizer's name for its kind, and its output tensor.

    With `dynamic` it also computes in int8, its input rounded as it comes; see `DYNAMIC`.
    """

    graph: int
    kind: str
    output: int
    dynamic: bool


@dataclass(frozen=True)
class Choice:
    """What becomes int8, and how many weight tensors and single weights do and do not."""

    operators: tuple[Operator, ...]
    weights: tuple[Weights, ...]
    int8_weights: int
    kept_tensors: int
    kept_weights: int

    def as_json(self) -> dict[str, object]:
        """The recipe in words and numbers."""
        return {
            "weights": "int8, symmetric, per output channel" if self.operators else "unchanged",
            "arithmetic": self._arithmetic(),
            "inputs_and_outputs": "float32",
            "int8_tensors": len(self.weights),
            "int8_weights": self.int8_weights,
            "float_tensors": self.kept_tensors,
            "float_weights": self.kept_weights,
        }

    def _arithmetic(self) -> str:
        dynamic = sum(operator.dynamic for operator in self.operators)
        return f"float32, and int8 in {dynamic} matrix products" if dynamic else "float32"


def choose(model: ModelT, file_bytes: int, goal: Goal = BALANCED) -> Choice:
    """Pick every constant float32 weight tensor for which int8 is clearly smaller than float16.

    `file_bytes` is the size of the file that the model lies in: of the bundle, if it lies in one.
    """
    least_bytes = goal.least_share * file_bytes
    operators: list[Operator] = []
    places: list[tuple[int, int]] = []
    chosen: dict[tuple[int, int], Weights] = {}
    kept: set[tuple[int, int]] = set()
    for number, graph in enumerate(model.subgraphs):
        for operator in graph.operators:
            code = builtin_code(model.operatorCodes[operator.opcodeIndex])
            if code not in _KINDS or not _has_constant_weights(model, graph, operator.inputs):
                continue
            kind, channel_dimension = _KINDS[code]
            index = operator.inputs[_WEIGHTS]
            is_last = goal.keep_last and not set(operator.outputs).isdisjoint(graph.outputs)
            if _is_worth_it(graph.tensors[index], channel_dimension, least_bytes) and not is_last:
                operators.append(Operator(number, kind, operator.outputs[0], goal.dynamic and kind in DYNAMIC))
                places.append((number, index))
                chosen[number, index] = Weights(number, index, channel_dimension)
            else:
                kept.add((number, index))
    if _elements(model, chosen) < SMALL_PART * file_bytes:
        farther = dict(itertools.islice(chosen.items(), math.ceil(len(chosen) / 2)))
        kept |= chosen.keys() - farther.keys()
        aligned = zip(operators, places)  # noqa: B905 - Python 3.9
        operators = [operator for operator, place in aligned if place in farther]
        chosen = farther
    kept -= chosen.keys()
    return Choice(tuple(operators), tuple(chosen.values()), _elements(model, chosen), len(kept), _elements(model, kept))


def _has_constant_weights(model: ModelT, graph: SubGraphT, inputs: list[int]) -> bool:
    if len(inputs) <= _WEIGHTS or inputs[_WEIGHTS] == -1:
        return False
    tensor = graph.tensors[inputs[_WEIGHTS]]
    if tensor.type != TensorType.FLOAT32 or tensor.sparsity is not None or not is_constant(model, tensor):
        return False
    # A scale cannot be found for infinities and NaN.
    return bool(np.isfinite(values(model, tensor)).all())


def _is_worth_it(tensor: TensorT, channel_dimension: int, least_bytes: float) -> bool:
    if len(tensor.shape) <= channel_dimension:
        return False
    weights = math.prod(tensor.shape)
    float16_bytes = 2 * weights
    int8_bytes = weights + BYTES_PER_CHANNEL * tensor.shape[channel_dimension]
    return bool(float16_bytes >= least_bytes and int8_bytes <= (1 - LEAST_SAVING) * float16_bytes)


def _elements(model: ModelT, tensors: Iterable[tuple[int, int]]) -> int:
    return sum(math.prod(model.subgraphs[graph].tensors[index].shape) for graph, index in tensors)
