"""Give the channels of a tensor like ranges before it is rounded as a whole.

int8 arithmetic with float inputs rounds a tensor with one step for all of its channels, so that small values in one
channel are lost beside large ones in another. What makes a channel is divided by a factor, and what reads it is
multiplied with it (cross-layer equalization: Nagel et al. 2019, section 4.1; here for the ranges that real inputs show,
and with the factors that do least harm to what the readers answer). RELU, PRELU, MAX_POOL, PAD and ADD keep positive
factors, so channels that these connect have one factor together; depthwise convolutions have one on either side. What a
convolution reads that computes in float keeps its ranges: its weights would be harder to round (with all of MediaPipe's
face landmark model equalized, its int8 weights alone move landmarks 0.29 px in place of 0.23).
Lossless in float, up to the rounding of weights. Precondition: `calibrated_rounding.takes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from ..contract import AppliedPass
from ..graph import model as models
from ..graph.constants import add_tensor, is_constant, values
from ..graph.schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code, generated
from ..graph.segment import segment
from ..measuring.interpreting import Runner
from .walking import Sample

NAME = "equalizing"

Ranges = Mapping[int, np.ndarray]
"""By tensor: (2, channels), the mean over samples of each channel's least and largest value."""

_STEP = 0.25
"""Factors are powers of two to a multiple of this: CPUs whose last bits differ find the same ones."""

_LEAST_RANGE = 1e-3
"""Part of the widest channel's range that every channel is taken to have."""

_NO_FACTOR = -1
_SHARES = np.linspace(0.05, 0.95, 19)
_Activation = generated.ActivationFunctionType
_CONVOLUTIONS = (BuiltinOperator.CONV_2D, BuiltinOperator.DEPTHWISE_CONV_2D)
_KEEP_FACTORS = (BuiltinOperator.RELU, BuiltinOperator.PRELU, BuiltinOperator.MAX_POOL_2D)


def observe(model: ModelT, outputs: Collection[int], samples: Sequence[Sample]) -> Ranges:
    """The ranges of what the convolutions that make the tensors `outputs` are given; raises `CannotRun`."""
    graph = model.subgraphs[0]
    sources = sorted({each.inputs[0] for each in _readers(model, outputs)} - set(graph.inputs))
    if not sources:
        return {}
    runner = Runner(models.save(segment(model, graph.operators, graph.inputs, sources)))
    total = [np.zeros((2, graph.tensors[index].shape[-1])) for index in sources]
    for sample in samples:
        for place, answer in enumerate(runner.answer(sample)):
            rows = answer.reshape(-1, answer.shape[-1])
            total[place] += [rows.min(axis=0), rows.max(axis=0)]
    return {index: each / len(samples) for index, each in zip(sources, total)}  # noqa: B905 - Python 3.9


def apply(model: ModelT, outputs: Collection[int], ranges: Ranges) -> AppliedPass:
    """Equalize what the convolutions that make the tensors `outputs` are given, as far as `ranges` tell of it."""
    graph = model.subgraphs[0]
    groups = _Groups(model, graph, {id(each) for each in _readers(model, outputs)})
    factors: dict[int, float] = {}
    for index in sorted({each.inputs[0] for each in _readers(model, outputs)} & ranges.keys()):
        for channel, wanted in enumerate(_best(ranges[index], _gains(model, graph, outputs, index))):
            group = groups.of(index, channel)
            if group == _NO_FACTOR:
                continue
            # The larger one of two that disagree: a channel that is too wide makes the step of all others wider.
            factors[group] = max(factors.get(group, 0.0), wanted)
    for operator in graph.operators:
        if groups.are_free(operator):
            before, after = (
                np.array([factors.get(groups.of(index, channel), 1.0) for channel in range(size)])
                for index in (operator.inputs[0], operator.outputs[0])
                for size in graph.tensors[index].shape[-1:]
            )
            _rescale(model, graph, operator, before, after)
    return AppliedPass(NAME, len(factors), "channels scaled so that one step of int8 fits them all")


def _readers(model: ModelT, outputs: Collection[int]) -> list[OperatorT]:
    """The convolutions among the operators that make those tensors."""
    graph = model.subgraphs[0]
    made = [each for each in graph.operators if not set(each.outputs).isdisjoint(outputs)]
    return [each for each in made if _scales(model, graph, each)]


def _gains(model: ModelT, graph: SubGraphT, outputs: Collection[int], index: int) -> np.ndarray:
    """By channel, how much an error in it adds to the squared errors of those readers' answers."""
    weights = [
        values(model, graph.tensors[each.inputs[1]]) for each in _readers(model, outputs) if each.inputs[0] == index
    ]
    return np.sum([(each.astype(np.float64) ** 2).reshape(-1, each.shape[-1]).sum(axis=0) for each in weights], axis=0)


def _best(limits: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """The factors, the largest 1, with the least sum of squared errors that one step for all channels makes.

    A channel from -l to h fits into the common range if its factor is at least h over the range's upper part and l over
    its lower one; more than that only makes its error larger. So the one thing to choose is where zero lies.
    """
    above, below = np.maximum(limits[1], 0.0), np.maximum(-limits[0], 0.0)
    least = max(_LEAST_RANGE * max(above.max(), below.max()), np.finfo(np.float32).tiny)
    above, below = np.maximum(above, least), np.maximum(below, least)
    tried = [np.maximum(above / share, below / (1 - share)) for share in _SHARES]
    best = min(tried, key=lambda factors: float((gains * factors**2).sum()))
    exponents = np.rint(np.log2(best / best.max()) / _STEP) * _STEP
    return np.asarray(2.0**exponents)


def _rescale(model: ModelT, graph: SubGraphT, operator: OperatorT, before: np.ndarray, after: np.ndarray) -> None:
    """Let a convolution take inputs and give outputs that are divided by their channels' factors."""
    if np.all(before == 1.0) and np.all(after == 1.0):
        return
    weights, bias = (graph.tensors[index] for index in operator.inputs[1:])
    kernel = values(model, weights).astype(np.float64) * before
    # Outputs of a depthwise convolution are along the last dimension, as its inputs are.
    kernel /= after if _is_depthwise(model, operator) else after[:, None, None, None]
    scaled = kernel.astype(np.float32), (values(model, bias) / after).astype(np.float32)
    names = weights.name or b"", bias.name or b""
    operator.inputs[1:] = [
        add_tensor(model, graph, name, array, TensorType.FLOAT32)
        for name, array in zip(names, scaled)  # noqa: B905 - Python 3.9
    ]


class _Groups:
    """Channels of tensors that must have one factor: a union-find over all, and those whose factor must be 1."""

    def __init__(self, model: ModelT, graph: SubGraphT, readers: Collection[int]) -> None:
        self._starts = np.cumsum([0, *(each.shape[-1] if each.shape else 1 for each in graph.tensors)]).tolist()
        self._above = list(range(self._starts[-1] + 1))
        self._fixed = self._starts[-1]
        """Stands for factor 1: what is joined with it keeps its range."""
        self._free = {id(each) for each in graph.operators if _scales(model, graph, each)}
        self._fix([*graph.inputs, *graph.outputs])
        for operator in graph.operators:
            if id(operator) not in self._free:
                self._connect(model, graph, operator)
            elif id(operator) not in readers and not _is_depthwise(model, operator):
                self._fix(operator.inputs[:1])

    def of(self, tensor: int, channel: int) -> int:
        """The group of a channel; `_NO_FACTOR` for all whose factor is 1."""
        found = self._root(self._starts[tensor] + channel)
        return _NO_FACTOR if found == self._root(self._fixed) else found

    def are_free(self, operator: OperatorT) -> bool:
        """Whether the operator's inputs and outputs may have factors of their own."""
        return id(operator) in self._free

    def _connect(self, model: ModelT, graph: SubGraphT, operator: OperatorT) -> None:
        moving = _keeps_factors(model, graph, operator)
        if moving is None:
            self._fix(index for index in [*operator.inputs, *operator.outputs] if index != -1)
            return
        target = self._starts[operator.outputs[0]]
        for index, shift in moving:
            for channel in range(graph.tensors[index].shape[-1]):
                self._join(self._starts[index] + channel, target + shift + channel)

    def _fix(self, tensors: Iterable[int]) -> None:
        for index in tensors:
            for node in range(self._starts[index], self._starts[index + 1]):
                self._join(node, self._fixed)

    def _join(self, one: int, other: int) -> None:
        self._above[self._root(one)] = self._root(other)

    def _root(self, node: int) -> int:
        while self._above[node] != node:
            self._above[node] = self._above[self._above[node]]
            node = self._above[node]
        return node


def _scales(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    """Whether factors of the operator's inputs and outputs can go into its constants."""
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) not in _CONVOLUTIONS or len(operator.inputs) != 3:
        return False
    if operator.builtinOptions is None or -1 in operator.inputs or not _is_homogeneous(operator):
        return False
    source, *constants = (graph.tensors[index] for index in operator.inputs)
    return (
        source.type == TensorType.FLOAT32
        and len(constants[0].shape) == len(source.shape)
        and constants[0].shape[-1] == source.shape[-1]
        and all(each.type == TensorType.FLOAT32 and each.sparsity is None for each in constants)
        and all(is_constant(model, each) for each in constants)
    )


def _keeps_factors(model: ModelT, graph: SubGraphT, operator: OperatorT) -> list[tuple[int, int]] | None:
    """Inputs whose channels have the factors of the output's, and how many come before them there; None: no factors."""
    code = builtin_code(model.operatorCodes[operator.opcodeIndex])
    if not _is_homogeneous(operator):
        return None
    if code in _KEEP_FACTORS:
        return [(operator.inputs[0], 0)]
    shapes = [list(graph.tensors[index].shape) for index in operator.inputs if index != -1]
    flows = not any(is_constant(model, graph.tensors[index]) for index in operator.inputs[:2] if index != -1)
    if code == BuiltinOperator.ADD and shapes[0] == shapes[1] and flows:
        return [(index, 0) for index in operator.inputs]
    if code == BuiltinOperator.PAD and is_constant(model, graph.tensors[operator.inputs[1]]):
        return [(operator.inputs[0], int(values(model, graph.tensors[operator.inputs[1]])[-1][0]))]
    return None


def _is_depthwise(model: ModelT, operator: OperatorT) -> bool:
    return bool(builtin_code(model.operatorCodes[operator.opcodeIndex]) == BuiltinOperator.DEPTHWISE_CONV_2D)


def _is_homogeneous(operator: OperatorT) -> bool:
    """Whether the activation that the operator has built in, if any, keeps positive factors."""
    return getattr(operator.builtinOptions, "fusedActivationFunction", _Activation.NONE) in (
        _Activation.NONE,
        _Activation.RELU,
    )
