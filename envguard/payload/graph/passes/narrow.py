"""Compute only what is read: a slice that keeps part of a tensor narrows all that was only computed for the rest.

A classifier on top of a transformer or a mixer reads one token of the last block, and converters slice at the very end.
What operators need of their inputs is followed from the outputs back: through those that work element by element, row
by row, or along other axes than the slice's; as far as a tensor of which more is read. Weights for outputs that nobody
reads go as well. Lossless: what is still computed is computed from the same numbers (a runtime may add them up in
another order). Precondition: shapes are known and agree; other tensors than float32 are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract import AppliedPass
from ..constants import add_tensor, is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code, generated
from . import operator_codes, stated_shapes

NAME = "narrow"

Box = tuple[tuple[int, int], ...]
"""Part of a tensor: where it starts and ends along each axis."""

_ELEMENTWISE = {
    BuiltinOperator.ABS, BuiltinOperator.ADD, BuiltinOperator.DIV, BuiltinOperator.ELU, BuiltinOperator.EXP,
    BuiltinOperator.GELU, BuiltinOperator.HARD_SWISH, BuiltinOperator.LEAKY_RELU, BuiltinOperator.LOGISTIC,
    BuiltinOperator.MAXIMUM, BuiltinOperator.MINIMUM, BuiltinOperator.MUL, BuiltinOperator.NEG, BuiltinOperator.PRELU,
    BuiltinOperator.RELU, BuiltinOperator.RELU6, BuiltinOperator.RSQRT, BuiltinOperator.SQRT, BuiltinOperator.SQUARE,
    BuiltinOperator.SQUARED_DIFFERENCE, BuiltinOperator.SUB, BuiltinOperator.TANH,
}  # fmt: skip
_REDUCING = (BuiltinOperator.MEAN, BuiltinOperator.REDUCE_MAX, BuiltinOperator.REDUCE_MIN, BuiltinOperator.SUM)
_INTEGERS = (TensorType.INT32, TensorType.INT64)
_STRIDED_SLICE_VERSION = 1


def apply(model: ModelT) -> AppliedPass:
    """Narrow every subgraph; counts the tensors that became smaller."""
    changed = sum(_Narrowing(model, graph).run() for graph in model.subgraphs)
    return AppliedPass(NAME, changed, "tensors cut down to the part that is read")


class _Narrowing:
    """One subgraph: what is needed of each tensor, then, from the front, what each is cut down to."""

    def __init__(self, model: ModelT, graph: SubGraphT) -> None:
        self._model, self._graph = model, graph
        self._whole = {index: _whole(tensor) for index, tensor in enumerate(graph.tensors)}
        self._parts: dict[int, dict[int, Box]] = {}
        self._needed = self._follow_back()
        self._held: dict[int, Box] = {}
        self._cuts: dict[tuple[int, Box], int] = {}
        self._done: list[OperatorT] = []

    def run(self) -> int:
        """Rewrite the operators; how many tensors are smaller now."""
        for operator in self._graph.operators:
            if id(operator) in self._parts:
                self._rewrite(operator, self._parts[id(operator)])
            self._done.append(operator)
        self._graph.operators = self._without_idle_slices()
        return len(self._held)

    def _without_idle_slices(self) -> list[OperatorT]:
        """All operators but slices that keep everything, whose readers read what was sliced instead."""
        stands_for: dict[int, int] = {}
        kept = []
        for operator in self._done:
            operator.inputs = [stands_for.get(index, index) for index in operator.inputs]
            output = operator.outputs[0] if operator.outputs else -1
            if self._is_slice(operator) and id(operator) in self._parts and output not in self._graph.outputs:
                source, target = (self._graph.tensors[index] for index in (operator.inputs[0], output))
                if list(source.shape) == list(target.shape):
                    stands_for[output] = operator.inputs[0]
                    continue
            kept.append(operator)
        return kept

    def _follow_back(self) -> dict[int, Box]:
        """What is needed of each tensor; on the way, what each operator that can be narrowed takes of its inputs."""
        needed = {index: self._whole[index] for index in self._graph.outputs}
        for operator in reversed(self._graph.operators):
            output = needed.get(operator.outputs[0]) if len(operator.outputs) == 1 else None
            inputs = None if output is None else _inputs_for(self._model, self._graph, operator, output)
            if inputs is not None:
                self._parts[id(operator)] = inputs
            for place, index in enumerate(operator.inputs):
                if index != -1:
                    wanted = (inputs or {}).get(place, self._whole[index])
                    needed[index] = _union(needed.get(index, wanted), wanted)
        return needed

    def _rewrite(self, operator: OperatorT, inputs: dict[int, Box]) -> None:
        output = operator.outputs[0]
        box = self._needed[output]
        if self._is_slice(operator):
            if operator.inputs[0] in self._held or box != self._whole[output]:
                self._set_slice(operator, inputs[0])
        else:
            for place, wanted in inputs.items():
                operator.inputs[place] = self._part(operator.inputs[place], wanted)
        if box != self._whole[output]:
            self._held[output] = box
            self._graph.tensors[output].shape = _sizes(box)

    def _is_slice(self, operator: OperatorT) -> bool:
        return _code(self._model, operator) in (BuiltinOperator.SLICE, BuiltinOperator.STRIDED_SLICE)

    def _part(self, index: int, wanted: Box) -> int:
        """A tensor that holds just that part of the tensor: itself, a smaller constant, or a new slice of it."""
        tensor = self._graph.tensors[index]
        if wanted == self._held.get(index, self._whole[index]):
            return index
        if (index, wanted) not in self._cuts:
            if is_constant(self._model, tensor):
                array = values(self._model, tensor)[tuple(slice(*each) for each in wanted)]
                new = add_tensor(self._model, self._graph, tensor.name or b"", array, tensor.type)
            else:
                new = self._slice(index, wanted)
            self._cuts[index, wanted] = new
        return self._cuts[index, wanted]

    def _slice(self, index: int, wanted: Box) -> int:
        part = TensorT()
        part.name, part.type, part.buffer, part.shape = b"", TensorType.FLOAT32, 0, _sizes(wanted)
        self._graph.tensors.append(part)
        operator = OperatorT()
        operator.inputs, operator.outputs, operator.intermediates = [index], [len(self._graph.tensors) - 1], []
        self._set_slice(operator, wanted)
        self._done.append(operator)
        return int(operator.outputs[0])

    def _set_slice(self, operator: OperatorT, wanted: Box) -> None:
        """Make the operator take that part of its input, of which there may be only a part itself."""
        held = self._held.get(operator.inputs[0], self._whole[operator.inputs[0]])
        shrink = getattr(operator.builtinOptions, "shrinkAxisMask", 0)
        start = [low - first for (low, _), (first, _) in zip(wanted, held)]  # noqa: B905 - Python 3.9
        end = [first + size for first, size in zip(start, _sizes(wanted))]  # noqa: B905 - Python 3.9
        arrays = [np.array(each, np.int32) for each in (start, end, [1] * len(start))]
        numbers = [add_tensor(self._model, self._graph, b"", array, TensorType.INT32) for array in arrays]
        operator.inputs = [operator.inputs[0], *numbers]
        operator.opcodeIndex = operator_codes.index_of(
            self._model, BuiltinOperator.STRIDED_SLICE, _STRIDED_SLICE_VERSION
        )
        operator.builtinOptions = generated.StridedSliceOptionsT()
        operator.builtinOptions.shrinkAxisMask = shrink
        operator.builtinOptionsType = generated.BuiltinOptions.StridedSliceOptions


def _inputs_for(model: ModelT, graph: SubGraphT, operator: OperatorT, output: Box) -> dict[int, Box] | None:
    """What must be known of each input, by place, to know that part of the output; None: everything of everything."""
    code = _code(model, operator)
    if not _is_plain(model, graph, operator) or not stated_shapes.agree(model, graph, operator):
        return None
    if code in _ELEMENTWISE:
        return {place: _aligned(graph.tensors[index].shape, output) for place, index in enumerate(operator.inputs)}
    rule = {
        BuiltinOperator.CONV_2D: _of_convolution,
        BuiltinOperator.FULLY_CONNECTED: _of_matrix_product,
        BuiltinOperator.SLICE: _of_slice,
        BuiltinOperator.STRIDED_SLICE: _of_slice,
        BuiltinOperator.TRANSPOSE: _of_transpose,
        **dict.fromkeys(_REDUCING, _of_reduction),
    }.get(code)
    found = None if rule is None else rule(model, graph, operator, output)
    if found is None:
        return None
    return {place: box for place, box in found.items() if place < len(operator.inputs) and operator.inputs[place] != -1}


def _aligned(shape: Sequence[int], output: Box) -> Box:
    """Part of an operand that is repeated along axes of size one and those that it lacks in front."""
    return tuple((0, 1) if size == 1 else each for size, each in zip(shape, output[len(output) - len(shape) :]))  # noqa: B905


def _of_convolution(model: ModelT, graph: SubGraphT, operator: OperatorT, output: Box) -> dict[int, Box] | None:
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    options = operator.builtinOptions
    is_pointwise = list(weights.shape[1:]) == [1, 1, *source.shape[3:]] and (options.strideH, options.strideW) == (1, 1)
    if not is_pointwise or not is_constant(model, weights):
        return None
    return {0: (*output[:3], _whole(source)[3]), 1: (output[3], *_whole(weights)[1:]), 2: (output[3],)}


def _of_matrix_product(model: ModelT, graph: SubGraphT, operator: OperatorT, output: Box) -> dict[int, Box] | None:
    source, weights = (graph.tensors[index] for index in operator.inputs[:2])
    if len(source.shape) != len(output) or source.shape[-1] != weights.shape[1] or not is_constant(model, weights):
        return None
    return {0: (*output[:-1], _whole(source)[-1]), 1: (output[-1], _whole(weights)[1]), 2: (output[-1],)}


def _of_reduction(model: ModelT, graph: SubGraphT, operator: OperatorT, output: Box) -> dict[int, Box] | None:
    whole = _whole(graph.tensors[operator.inputs[0]])
    axes = _numbers(model, graph, operator.inputs[1])
    if axes is None or not getattr(operator.builtinOptions, "keepDims", False):
        return None
    reduced = {axis % len(whole) for axis in axes}
    return {0: tuple(whole[axis] if axis in reduced else each for axis, each in enumerate(output))}


def _of_transpose(model: ModelT, graph: SubGraphT, operator: OperatorT, output: Box) -> dict[int, Box] | None:
    order = _numbers(model, graph, operator.inputs[1])
    if order is None:
        return None
    return {0: tuple(output[order.index(axis)] for axis in range(len(order)))}


def _of_slice(model: ModelT, graph: SubGraphT, operator: OperatorT, output: Box) -> dict[int, Box] | None:
    shape = graph.tensors[operator.inputs[0]].shape
    start = _starts(model, graph, operator)
    if start is None:
        return None
    options = operator.builtinOptions
    if getattr(options, "shrinkAxisMask", 0):
        # Axes are missing from the output: all of it is asked for, which is what the slice takes.
        kept = iter(graph.tensors[operator.outputs[0]].shape)
        sizes = [1 if options.shrinkAxisMask >> axis & 1 else next(kept) for axis in range(len(shape))]
        return {0: tuple((first, first + size) for first, size in zip(start, sizes))}  # noqa: B905 - Python 3.9
    return {0: tuple((first + low, first + high) for first, (low, high) in zip(start, output))}  # noqa: B905


def _starts(model: ModelT, graph: SubGraphT, operator: OperatorT) -> list[int] | None:
    """Where a slice without gaps starts along each axis; None for any other slice."""
    shape = graph.tensors[operator.inputs[0]].shape
    start = _numbers(model, graph, operator.inputs[1])
    if start is None or len(start) != len(shape) or _code(model, operator) == BuiltinOperator.SLICE:
        return start
    # Options that are missing are at their defaults.
    options = operator.builtinOptions or generated.StridedSliceOptionsT()
    steps = _numbers(model, graph, operator.inputs[3])
    if steps is None or set(steps) != {1} or options.ellipsisMask or options.newAxisMask:
        return None
    return [
        0 if options.beginMask >> axis & 1 else min(first + size if first < 0 else first, size)
        for axis, (first, size) in enumerate(zip(start, shape))  # noqa: B905 - Python 3.9
    ]


def _numbers(model: ModelT, graph: SubGraphT, index: int) -> list[int] | None:
    tensor = graph.tensors[index]
    return [int(each) for each in values(model, tensor).ravel()] if is_constant(model, tensor) else None


def _is_plain(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    """Whether all that flows in and out is float32 of known shape; axes, starts and the like are constants."""
    tensors = [graph.tensors[index] for index in [*operator.inputs, *operator.outputs] if index != -1]
    return all(
        tensor.sparsity is None
        and not tensor.isVariable
        and (tensor.shapeSignature is None or -1 not in tensor.shapeSignature)
        and (tensor.type == TensorType.FLOAT32 or (tensor.type in _INTEGERS and is_constant(model, tensor)))
        for tensor in tensors
    )


def _whole(tensor: TensorT) -> Box:
    return tuple((0, int(size)) for size in tensor.shape)


def _sizes(box: Box) -> list[int]:
    return [high - low for low, high in box]


def _union(one: Box, other: Box) -> Box:
    """The smallest part that holds both."""
    return tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(one, other))  # noqa: B905 - Python 3.9


def _code(model: ModelT, operator: OperatorT) -> int:
    return builtin_code(model.operatorCodes[operator.opcodeIndex])
