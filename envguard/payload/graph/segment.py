"""Cut a run of operators out of a graph as a model of its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from .schema import BufferT, ModelT, OperatorT, SubGraphT


def segment(model: ModelT, operators: Sequence[OperatorT], inputs: Sequence[int], outputs: Sequence[int]) -> ModelT:
    """Those operators of the main subgraph, given and giving tensors by their indices in it.

    The model shares tables and buffers with the original: it is there to be saved, not to be changed.
    """
    graph = model.subgraphs[0]
    used = sorted({*inputs, *outputs, *(index for each in operators for index in each.inputs + each.outputs)} - {-1})
    moved = {old: new for new, old in enumerate(used)}
    moved[-1] = -1
    part = SubGraphT()
    part.tensors = [copy.copy(graph.tensors[index]) for index in used]
    part.inputs, part.outputs = [moved[index] for index in inputs], [moved[index] for index in outputs]
    part.operators = [_renumbered(operator, moved) for operator in operators]
    cut = ModelT()
    cut.version, cut.description = model.version, b""
    cut.operatorCodes, cut.subgraphs = model.operatorCodes, [part]
    cut.buffers, cut.metadata, cut.metadataBuffer = [BufferT()], [], []
    buffers = {0: 0}
    for number, tensor in enumerate(part.tensors):
        tensor.name = f"t{number}".encode()
        if tensor.buffer not in buffers:
            buffers[tensor.buffer] = len(cut.buffers)
            cut.buffers.append(model.buffers[tensor.buffer])
        tensor.buffer = buffers[tensor.buffer]
    return cut


def _renumbered(operator: OperatorT, moved: dict[int, int]) -> OperatorT:
    copied = copy.copy(operator)
    copied.inputs = [moved[index] for index in operator.inputs]
    copied.outputs = [moved[index] for index in operator.outputs]
    copied.intermediates = []
    return copied
