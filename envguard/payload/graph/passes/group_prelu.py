"""Let PRELU take several pixels of few channels as one pixel of many, between two RESHAPEs.

XNNPACK multiplies the innermost dimension at a time, and eight channels fill half a vector of AVX-512: in MediaPipe's
face landmark model four such PRELUs took a seventh of the time. With `[1, H, W, C]` read as `[1, H, W/k, k·C]` and
slopes repeated k times, one took 8 µs instead of 157 with LiteRT 2.3, and the RESHAPEs nothing, as they stay in place.
That holds where nobody else reads what goes in or comes out; otherwise it is copied. GPU delegates take one slope for
each channel, unlike those of `widen_prelu`. Lossless: every element is multiplied by the same slope as before.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...contract import AppliedPass
from ..constants import add_tensor, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code, generated
from . import operator_codes

NAME = "group_prelu"

MOST_CHANNELS = 8
"""From 16 on there is nothing to gain in a whole call, also measured: others read what comes out, so it is copied."""

GROUPED = 128
"""Channels of a group at most: beyond, nothing more is gained."""


def apply(model: ModelT) -> AppliedPass:
    """Group the pixels of every PRELU that has one slope for each of a few channels."""
    changed = 0
    for graph in model.subgraphs:
        readers = Counter(index for operator in graph.operators for index in operator.inputs)
        readers.update(graph.outputs)
        rewritten: list[OperatorT] = []
        for operator in graph.operators:
            count = _pixels(model, graph, operator, readers)
            changed += count > 1
            rewritten += _grouped(model, graph, operator, count) if count > 1 else [operator]
        graph.operators = rewritten
    return AppliedPass(NAME, changed, "PRELU that takes several pixels of few channels as one")


def _pixels(model: ModelT, graph: SubGraphT, operator: OperatorT, readers: Counter[int]) -> int:
    """How many pixels become one; 1 where all stay as they are."""
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) != BuiltinOperator.PRELU:
        return 1
    source, slopes = (graph.tensors[index] for index in operator.inputs)
    shape = list(source.shape)
    # The batch may be any: what RESHAPE makes of it is left to be computed.
    open_sizes = source.shapeSignature is not None and -1 in source.shapeSignature[1:]
    alone = readers[operator.inputs[0]] == readers[operator.outputs[0]] == 1 and operator.inputs[0] not in graph.inputs
    if len(shape) != 4 or shape[3] > MOST_CHANNELS or open_sizes or not alone:
        return 1
    one_each = list(slopes.shape) in ([shape[3]], [1, shape[3]], [1, 1, shape[3]])
    if not one_each or slopes.type != TensorType.FLOAT32 or not is_constant(model, slopes):
        return 1
    width = int(shape[2])
    return max(
        count for count in range(1, width + 1) if width % count == 0 and (count == 1 or count * shape[3] <= GROUPED)
    )


def _grouped(model: ModelT, graph: SubGraphT, operator: OperatorT, count: int) -> list[OperatorT]:
    source, target = operator.inputs[0], operator.outputs[0]
    shape = [int(size) for size in graph.tensors[source].shape]
    wide = [*shape[:2], shape[2] // count, shape[3] * count]
    before, after = (_like(graph, source, wide) for _ in range(2))
    slopes = graph.tensors[operator.inputs[1]]
    repeated = np.tile(values(model, slopes).reshape(-1), count).reshape(1, 1, -1)
    operator.inputs = [before, add_tensor(model, graph, slopes.name or b"", repeated, TensorType.FLOAT32)]
    operator.outputs = [after]
    return [_reshape(model, graph, source, before), operator, _reshape(model, graph, after, target)]


def _reshape(model: ModelT, graph: SubGraphT, source: int, target: int) -> OperatorT:
    made = graph.tensors[target]
    shape = [int(size) for size in (made.shape if made.shapeSignature is None else made.shapeSignature)]
    operator = OperatorT()
    operator.opcodeIndex = operator_codes.index_of(model, BuiltinOperator.RESHAPE, 1)
    sizes = add_tensor(model, graph, b"", np.array(shape, np.int32), TensorType.INT32)
    operator.inputs, operator.outputs, operator.intermediates = [source, sizes], [target], []
    options = generated.ReshapeOptionsT()
    options.newShape = shape
    operator.builtinOptions, operator.builtinOptionsType = options, generated.BuiltinOptions.ReshapeOptions
    return operator


def _like(graph: SubGraphT, index: int, shape: Sequence[int]) -> int:
    """A tensor of another shape; a batch that is open stays so."""
    tensor = copy.copy(graph.tensors[index])
    if tensor.shapeSignature is not None:
        tensor.shapeSignature = [int(tensor.shapeSignature[0]), *shape[1:]]
    tensor.name, tensor.buffer, tensor.shape = b"", 0, list(shape)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
