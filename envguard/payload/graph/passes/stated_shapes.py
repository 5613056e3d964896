"""Whether the shapes that a file states are those that an operator computes.

Interpreters compute shapes anew, so that a file may state others and run all the same; what is rewritten by them must
not believe those. Precondition: `operator_rules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..constants import is_constant, values
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, builtin_code

Shape = list[int]
Indices = Sequence[int]

_MOST_AXES = 16
_INDICES = (1, 3)
"""Where axes, orders, starts and steps are."""


class _Stated(NamedTuple):
    """The shapes of the inputs and of the output, and the values of inputs that are indices, by their places."""

    read: Sequence[Shape]
    made: Shape
    integers: Mapping[int, Indices]


def agree(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    """Whether they do; for operators that are not in the table, inputs need only be repeated to make the output."""
    made = list(graph.tensors[operator.outputs[0]].shape)
    read = [[] if index == -1 else list(graph.tensors[index].shape) for index in operator.inputs]
    if any(size < 1 for shape in (made, *read) for size in shape):
        return False
    integers = {
        place: [int(each) for each in values(model, graph.tensors[index]).ravel()]
        for place, index in enumerate(operator.inputs)
        if place in _INDICES and index != -1 and _is_index(model, graph, index)
    }
    rule = _RULES.get(builtin_code(model.operatorCodes[operator.opcodeIndex]), _repeated)
    return rule(_Stated(read, made, integers))


def _is_index(model: ModelT, graph: SubGraphT, index: int) -> bool:
    """Whether it is a row of numbers that is a constant, as axes and starts are."""
    shape = graph.tensors[index].shape
    return len(shape) <= 1 and math.prod(shape) <= _MOST_AXES and is_constant(model, graph.tensors[index])


def _repeated(stated: _Stated) -> bool:
    """Each input is as large as the output along each axis, or of size 1, or lacks it in front."""
    made = stated.made[::-1]
    return all(
        len(shape) <= len(made) and all(size in (1, whole) for size, whole in zip(shape[::-1], made))  # noqa: B905
        for shape in stated.read
    )


def _product(stated: _Stated) -> bool:
    """A matrix product, or a convolution of single pixels: all but the last axis as it was, and one bias for each."""
    (source, weights, *rest), made = stated.read, stated.made
    bias = rest[0] if rest else []
    return len(made) > 0 and made[-1] == weights[0] and bias in ([], [weights[0]]) and source[:-1] == made[:-1]


def _reduction(stated: _Stated) -> bool:
    source, axes = stated.read[0], stated.integers.get(1)
    if axes is None or not all(-len(source) <= axis < len(source) for axis in axes):
        return False
    reduced = {axis % len(source) for axis in axes}
    kept = [1 if axis in reduced else size for axis, size in enumerate(source)]
    return stated.made in (kept, [size for axis, size in enumerate(source) if axis not in reduced])


def _transposition(stated: _Stated) -> bool:
    source, order = stated.read[0], stated.integers.get(1)
    return order is not None and sorted(order) == list(range(len(source))) and stated.made == [source[i] for i in order]


def _part(stated: _Stated) -> bool:
    """A slice: as many starts as axes, and along none of them more than there is."""
    source, starts = stated.read[0], stated.integers.get(1)
    if starts is None or len(starts) != len(source) or len(stated.made) > len(source):
        return False
    return len(stated.made) < len(source) or all(size <= whole for size, whole in zip(stated.made, source))  # noqa: B905


_RULES: Mapping[int, Callable[[_Stated], bool]] = {
    BuiltinOperator.CONV_2D: _product,
    BuiltinOperator.FULLY_CONNECTED: _product,
    BuiltinOperator.MEAN: _reduction,
    BuiltinOperator.REDUCE_MAX: _reduction,
    BuiltinOperator.REDUCE_MIN: _reduction,
    BuiltinOperator.SUM: _reduction,
    BuiltinOperator.TRANSPOSE: _transposition,
    BuiltinOperator.SLICE: _part,
    BuiltinOperator.STRIDED_SLICE: _part,
}
