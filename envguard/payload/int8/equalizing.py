"""Give the channels of a tensor like ranges before it is rounded as a whole.

int8 arithmetic with float inputs rounds a tensor with one step for all of its channels, so that small values in one
channel are lost beside large ones in another. What makes a channel is divided by a factor, and what reads it is
multiplied with it (cross-layer equalization: Nagel et al. 2019, section 4.1; here for the ranges that real inputs show,
and with the factors that do least harm to what the readers answer). RELU, PRELU, MAX_POOL, PAD and ADD keep positive
factors, so channels that these connect have one factor together; depthwise convolutions have one on either side. What a
convolution reads that has int8 weights but computes in float keeps its ranges: its weights would be harder to round
(with all of MediaPipe's face landmark model equalized, its int8 weights alone move landmarks 0.29 px in place of 0.23).
Lossless in float, up to the rounding of weights. Precondition: `calibrated_rounding.takes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import AppliedPass
from ..graph import model as models
from ..graph.balanced_rounding import LEVELS
from ..graph.constants import add_tensor, is_constant, values
from ..graph.schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code, generated
from ..graph.segment import segment
from ..measuring.interpreting import Runner
from .walking import Sample

NAME = "equalizing"

INPUT_STEPS = 255
"""Of the int8 that the inputs of such a convolution are rounded to, from the least to the largest."""

_STEP = 0.25
"""Factors are powers of two to a multiple of this: CPUs whose last bits differ find the same ones."""

_LEAST_RANGE = 1e-3
"""Part of the widest channel's range that every channel is taken to have."""

_RANGE_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_GAIN_POWERS = (0.0, 0.125, 0.25)
"""Factors that are tried: a channel's range to one of the first, over its gain to one of the second."""

_WEIGHTS_SHARE = 0.25
"""Of the squared error that rounding weights makes by itself, what is left after rounding them on real inputs."""

_PIXELS = 16
"""Of each sample, about so many stand for all."""

_LEAST_GAIN = 1e-6

_MOST_CHANNELS = 1 << 20
"""Of all tensors together; MediaPipe's face landmark model has 50,935."""

_NO_FACTOR = -1
_Activation = generated.ActivationFunctionType
_CONVOLUTIONS = (BuiltinOperator.CONV_2D, BuiltinOperator.DEPTHWISE_CONV_2D)
_KEEP_FACTORS = (BuiltinOperator.RELU, BuiltinOperator.PRELU, BuiltinOperator.MAX_POOL_2D)


@dataclass(frozen=True)
class Seen:
    """What a tensor held: (samples, channels), the least and largest value; (pixels, channels), some of its pixels."""

    least: np.ndarray
    largest: np.ndarray
    pixels: np.ndarray


def observe(model: ModelT, outputs: Collection[int], samples: Sequence[Sample]) -> dict[int, Seen]:
    """By tensor, what the convolutions that make the tensors `outputs` are given; raises `CannotRun`."""
    graph = model.subgraphs[0]
    sources = sorted({each.inputs[0] for each in _readers(model, outputs)} - set(graph.inputs))
    if not sources:
        return {}
    runner = Runner(models.save(segment(model, graph.operators, graph.inputs, sources)))
    ranges: list[list[np.ndarray]] = [[] for _ in sources]
    pixels: list[list[np.ndarray]] = [[] for _ in sources]
    for sample in samples:
        for place, answer in enumerate(runner.answer(sample)):
            rows = answer.reshape(-1, answer.shape[-1]).astype(np.float64)
            ranges[place].append(np.stack([rows.min(axis=0), rows.max(axis=0)]))
            pixels[place].append(rows[:: -(-len(rows) // _PIXELS) | 1])
    found = {}
    for index, each, shown in zip(sources, ranges, pixels):  # noqa: B905 - Python 3.9
        least, largest = np.stack(each, axis=1)
        found[index] = Seen(least, largest, np.concatenate(shown))
    return found


def apply(model: ModelT, outputs: Collection[int], seen: Mapping[int, Seen], kept: Collection[int] = ()) -> AppliedPass:
    """Equalize what the convolutions that make the tensors `outputs` are given, as far as `seen` tells of it.

    What is read by those that make the tensors `kept` keeps its ranges.
    """
    graph = model.subgraphs[0]
    if sum(_channel_counts(graph)) > _MOST_CHANNELS:
        return AppliedPass(NAME, 0, "channels not scaled: there are too many")
    groups = _Groups(model, graph, {id(each) for each in _readers(model, kept)})
    readers = _readers(model, outputs)
    read = {
        index: _Read(seen[index], _kernels(model, [each for each in readers if each.inputs[0] == index]))
        for index in sorted({each.inputs[0] for each in readers} & seen.keys())
    }
    factors = _factors(read, {index: groups.of_channels(index) for index in read})
    for operator in graph.operators:
        if groups.are_free(operator):
            before, after = (
                np.array([factors.get(group, 1.0) for group in groups.of_channels(index)])
                for index in (operator.inputs[0], operator.outputs[0])
            )
            _rescale(model, graph, operator, before, after)
    return AppliedPass(NAME, len(factors), "channels scaled so that one step of int8 fits them all")


def _readers(model: ModelT, outputs: Collection[int]) -> list[OperatorT]:
    """The convolutions among the operators that make those tensors."""
    graph = model.subgraphs[0]
    made = [each for each in graph.operators if not set(each.outputs).isdisjoint(outputs)]
    return [each for each in made if _scales(model, graph, each)]


def _kernels(model: ModelT, readers: Sequence[OperatorT]) -> list[np.ndarray]:
    """Their weights, (outputs, pixels, channels) each."""
    read = [model.subgraphs[0].tensors[each.inputs[1]] for each in readers]
    return [values(model, each).astype(np.float64).reshape(each.shape[0], -1, each.shape[-1]) for each in read]


def _factors(read: Mapping[int, _Read], groups: Mapping[int, Sequence[int]]) -> dict[int, float]:
    """The factor of each group of channels.

    Tensors of a residual stream have their channels in common and want different factors. What they get is the mean of
    the logarithms, weighted by how much each tensor gains from its own.
    """
    wanted: dict[int, list[tuple[float, float]]] = {}
    for index, each in read.items():
        best, gain = each.best()
        for group, exponent in zip(groups[index], np.log2(best)):  # noqa: B905 - Python 3.9
            if group != _NO_FACTOR:
                wanted.setdefault(group, []).append((float(exponent), gain))
    means = {
        group: sum(exponent * gain for exponent, gain in each) / sum(gain for _, gain in each)
        for group, each in wanted.items()
    }
    return {group: 2.0 ** (round(mean / _STEP) * _STEP) for group, mean in means.items()}


class _Read:
    """A tensor that convolutions read which compute in int8: what it held, and their kernels."""

    def __init__(self, seen: Seen, kernels: Sequence[np.ndarray]) -> None:
        self._seen, self._kernels = seen, kernels
        self._power = (seen.pixels**2).mean(axis=0)

    def best(self) -> tuple[np.ndarray, float]:
        """The factors that are best for this tensor alone, and how many times less the error is with them.

        The wider a channel is, the larger its factor, so that one step fits all; the more the readers make of it, the
        smaller, so that it gets more of the steps.
        """
        ranges = np.maximum(self._seen.largest, 0.0).mean(axis=0) + np.maximum(-self._seen.least, 0.0).mean(axis=0)
        gains = np.sum([(each**2).sum(axis=(0, 1)) for each in self._kernels], axis=0)
        ranges, gains = _floored(ranges), _floored(gains)
        tried = [_even(ranges**one / gains**other) for one in _RANGE_POWERS for other in _GAIN_POWERS]
        best = min(tried, key=self.error)
        before, after = self.error(np.ones_like(best)), self.error(best)
        return best, max(before / after - 1.0 if after > 0.0 else 0.0, _LEAST_GAIN)

    def error(self, factors: np.ndarray) -> float:
        """The squared error of what the readers answer, summed: from rounding what they read, and their weights."""
        total = 0.0
        for kernel in self._kernels:
            scaled = kernel * factors
            steps = np.abs(scaled).max(axis=(1, 2)) / LEVELS
            total += self._step(factors, kernel.shape[1] == 1) * float((scaled**2).sum())
            power = kernel.shape[1] * float((self._power / factors**2).sum())
            total += _WEIGHTS_SHARE * power * float((steps**2).sum())
        return total

    def _step(self, factors: np.ndarray, row_by_row: bool) -> float:
        """The mean square of the steps that inputs are rounded in: of all of an input, or of each pixel."""
        low, high = (self._seen.pixels,) * 2 if row_by_row else (self._seen.least, self._seen.largest)
        span = np.maximum((high / factors).max(axis=1), 0.0) - np.minimum((low / factors).min(axis=1), 0.0)
        return float(((span / INPUT_STEPS) ** 2).mean())


def _floored(array: np.ndarray) -> np.ndarray:
    return np.maximum(array, max(_LEAST_RANGE * float(array.max()), float(np.finfo(np.float32).tiny)))


def _even(factors: np.ndarray) -> np.ndarray:
    return np.asarray(factors / np.exp(np.log(factors).mean()))


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


def _channel_counts(graph: SubGraphT) -> list[int]:
    """Of every tensor, how long its last axis is."""
    return [max(int(each.shape[-1]), 0) if each.shape else 1 for each in graph.tensors]


class _Groups:
    """Channels of tensors that must have one factor: a union-find over all, and those whose factor must be 1."""

    def __init__(self, model: ModelT, graph: SubGraphT, keeping: Collection[int]) -> None:
        self._starts = np.cumsum([0, *_channel_counts(graph)]).tolist()
        self._above = list(range(self._starts[-1] + 1))
        self._fixed = self._starts[-1]
        """Stands for factor 1: what is joined with it keeps its range."""
        self._free = {id(each) for each in graph.operators if _scales(model, graph, each)}
        self._fix([*graph.inputs, *graph.outputs])
        for operator in graph.operators:
            if id(operator) not in self._free:
                self._connect(model, graph, operator)
            elif id(operator) in keeping and not _is_depthwise(model, operator):
                self._fix(operator.inputs[:1])

    def of(self, tensor: int, channel: int) -> int:
        """The group of a channel; `_NO_FACTOR` for all whose factor is 1."""
        found = self._root(self._starts[tensor] + channel)
        return _NO_FACTOR if found == self._root(self._fixed) else found

    def of_channels(self, tensor: int) -> list[int]:
        """The group of each channel."""
        return [self.of(tensor, channel) for channel in range(self._channels(tensor))]

    def are_free(self, operator: OperatorT) -> bool:
        """Whether the operator's inputs and outputs may have factors of their own."""
        return id(operator) in self._free

    def _connect(self, model: ModelT, graph: SubGraphT, operator: OperatorT) -> None:
        moving = _keeps_factors(model, graph, operator)
        if moving is None or not self._have_room(operator.outputs[0], moving):
            self._fix(index for index in [*operator.inputs, *operator.outputs] if index != -1)
            return
        target = self._starts[operator.outputs[0]]
        for index, shift in moving:
            for channel in range(self._channels(index)):
                self._join(self._starts[index] + channel, target + shift + channel)

    def _have_room(self, output: int, moving: Iterable[tuple[int, int]]) -> bool:
        """Whether the output has those channels; the shapes that a file states need not agree."""
        whole = self._channels(output)
        return all(shift >= 0 and shift + self._channels(index) <= whole for index, shift in moving)

    def _channels(self, tensor: int) -> int:
        return int(self._starts[tensor + 1] - self._starts[tensor])

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
