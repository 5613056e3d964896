"""Repeat the slopes of PRELU along the width where there are few channels.

XNNPACK multiplies the innermost dimension at a time; with 8 or 16 channels that is one or two vectors, and starting
over costs more than multiplying. Slopes `[1, W, C]` instead of `[1, 1, C]` make whole rows one loop; with LiteRT 2.3 on
AVX-512 there is nothing to gain from 32 channels on. Lossless: every element is multiplied by the same slope as before.
It costs W times the bytes of the slopes.
"""

from __future__ import annotations

import numpy as np

from ...contract import AppliedPass
from ..constants import add_tensor, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code

NAME = "widen_prelu"

MOST_WIDTH = 4096
"""Of an image: with 16 channels, the slopes are 256 kB then."""


def apply(model: ModelT, most_channels: int) -> AppliedPass:
    """Give every PRELU that has one slope per channel, for up to so many channels, a wide copy of them."""
    changed = 0
    for graph in model.subgraphs:
        wide: dict[tuple[int, int], int] = {}
        for operator in graph.operators:
            width = _width(model, graph, operator, most_channels)
            if width is None:
                continue
            slopes = operator.inputs[1]
            if (slopes, width) not in wide:
                tensor = graph.tensors[slopes]
                array = np.broadcast_to(values(model, tensor).reshape(1, 1, -1), (1, width, tensor.shape[-1]))
                wide[slopes, width] = add_tensor(model, graph, tensor.name or b"", array, TensorType.FLOAT32)
            operator.inputs[1] = wide[slopes, width]
            changed += 1
    return AppliedPass(NAME, changed, "PRELU slopes repeated along the width")


def _width(model: ModelT, graph: SubGraphT, operator: OperatorT, most_channels: int) -> int | None:
    """How often to repeat the slopes; None where they are to stay: the width must be known and above one."""
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) != BuiltinOperator.PRELU:
        return None
    source, slopes = (graph.tensors[index] for index in operator.inputs[:2])
    shape = list(source.shape)
    if len(shape) != 4 or not 1 < shape[2] <= MOST_WIDTH or shape[3] > most_channels:
        return None
    if source.shapeSignature is not None and source.shapeSignature[2] == -1:
        return None
    one_each = list(slopes.shape) in ([shape[3]], [1, shape[3]], [1, 1, shape[3]])
    if not one_each or slopes.type != TensorType.FLOAT32 or not is_constant(model, slopes):
        return None
    return int(shape[2])
