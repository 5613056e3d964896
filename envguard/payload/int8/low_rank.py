"""Replace a large dense layer by two small ones that give nearly the same for the inputs that it really gets.

This is compression, not quantization: it is done only when asked for, and reported by its name. A layer of K inputs
and N outputs becomes one of K inputs and R outputs and one of R inputs and N outputs. Of all such pairs it takes the
one with the least squared error of the outputs over real inputs (a singular value decomposition of the weights times a
root of the inputs' covariance, as in SVD-LLM, Wang et al. 2024); the inputs' mean goes through the bias exactly.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import AppliedPass
from ..graph.constants import add_tensor, is_constant, values
from ..graph.patches import patches
from ..graph.schema import BuiltinOperator, ModelT, OperatorT, TensorT, TensorType, builtin_code, generated
from .walking import Sample, Walk

NAME = "low_rank"

RANK_SHARE = 1 / 4
"""Rank of the pair as a part of the smaller side of the matrix: 128 of 512 in MediaPipe's face landmark model."""

LEAST_WEIGHTS_SHARE = 1 / 4
"""Part of the model's bytes in float16 below which a layer is left alone: its error would save too little."""

_DAMPING = 1e-2
"""Added to the covariance, as a part of its mean variance, for directions that the samples do not show."""


def apply(model: ModelT, samples: Sequence[Sample], model_bytes: int, *, rounded: bool = False) -> AppliedPass:
    """Factor every CONV_2D that sees its whole input at once and holds a quarter of the model or more.

    `rounded` says that what flows between the two layers of a pair is rounded to int8 as it comes. Most of it is then
    one number that is much larger than the rest, so it is mixed: each number gets an equal part of all (as QuaRot does,
    Ashkboos et al. 2024). Precondition: `calibrated_rounding.takes`. Raises `CannotRun`.
    """
    graph = model.subgraphs[0]
    # From the end, so that numbers of operators still to come stay true.
    found = [number for number, each in enumerate(graph.operators) if _is_large(model, each, model_bytes)][::-1]
    ranks = []
    for number in found:
        walk = Walk(model, samples)
        walk.advance(number)
        ranks.append(_factor(model, number, walk.inputs(), rounded))
    what = "compressed, not quantized: dense layers as pairs of rank " + (", ".join(map(str, ranks)) or "–")
    return AppliedPass(NAME, len(found), what, lossless=False)


def _is_large(model: ModelT, operator: OperatorT, model_bytes: int) -> bool:
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) != BuiltinOperator.CONV_2D or len(operator.inputs) != 3:
        return False
    source, weights, bias = (model.subgraphs[0].tensors[index] for index in operator.inputs)
    options = operator.builtinOptions
    return (
        2 * int(np.prod(weights.shape)) >= LEAST_WEIGHTS_SHARE * model_bytes
        and options.padding == generated.Padding.VALID
        and options.fusedActivationFunction == generated.ActivationFunctionType.NONE
        and list(source.shape)[1:] == list(weights.shape)[1:]
        and weights.type == bias.type == TensorType.FLOAT32
        and all(is_constant(model, each) for each in (weights, bias))
    )


def _factor(model: ModelT, number: int, inputs: Sequence[np.ndarray], rounded: bool) -> int:
    """Put the pair in place of the operator; the rank."""
    graph = model.subgraphs[0]
    operator = graph.operators[number]
    weights, bias = (graph.tensors[index] for index in operator.inputs[1:])
    kernel = values(model, weights)
    batches = patches(BuiltinOperator.CONV_2D, operator.builtinOptions, kernel, inputs)
    if batches is None:  # Dilated, which a kernel as large as its input cannot be.
        return 0
    matrix = kernel.reshape(len(kernel), -1).astype(np.float64)
    rows = np.concatenate(batches).astype(np.float64)
    rank = max(1, int(RANK_SHARE * min(matrix.shape)))
    pair = _pair(matrix, rows, rank, mixed=rounded)

    hidden = TensorT()
    hidden.name, hidden.type, hidden.buffer, hidden.shape = b"", TensorType.FLOAT32, 0, [1, 1, 1, rank]
    graph.tensors.append(hidden)
    between = len(graph.tensors) - 1
    after = copy.copy(operator)
    name = weights.name or b""
    small = pair.first.reshape(rank, *kernel.shape[1:]).astype(np.float32)
    offset = add_tensor(model, graph, b"", pair.offset.astype(np.float32), TensorType.FLOAT32)
    operator.inputs = [operator.inputs[0], add_tensor(model, graph, name, small, TensorType.FLOAT32), offset]
    large = pair.second.reshape(len(kernel), 1, 1, rank).astype(np.float32)
    moved = (values(model, bias) + pair.shift).astype(np.float32)
    after.inputs = [
        between,
        add_tensor(model, graph, name, large, TensorType.FLOAT32),
        add_tensor(model, graph, bias.name or b"", moved, TensorType.FLOAT32),
    ]
    after.outputs, operator.outputs = list(operator.outputs), [between]
    after.builtinOptions = copy.copy(operator.builtinOptions)
    after.builtinOptions.strideH = after.builtinOptions.strideW = 1
    graph.operators.insert(number + 1, after)
    return rank


def _even_mix(size: int) -> np.ndarray:
    """An orthogonal matrix whose rows take about as much of every number: those of the discrete cosine transform."""
    place = np.arange(size)
    rows = np.cos(np.pi / size * (place[None, :] + 0.5) * place[:, None]) * math.sqrt(2.0 / size)
    rows[0] /= math.sqrt(2.0)
    return np.asarray(rows.T)


@dataclass(frozen=True)
class _Pair:
    """`second @ (first @ row + offset) + shift`, nearest to what one matrix makes of rows around their mean."""

    second: np.ndarray
    first: np.ndarray
    offset: np.ndarray
    shift: np.ndarray


def _pair(matrix: np.ndarray, rows: np.ndarray, rank: int, *, mixed: bool) -> _Pair:
    """That of a matrix; `mixed`, the numbers between the two lie around zero, and each has a part of all."""
    mean = rows.mean(axis=0)
    second, first = _decomposed(matrix, rows, rank)
    if not mixed:
        return _Pair(second, first, np.zeros(rank), (matrix - second @ first) @ mean)
    mix = _even_mix(rank)
    second, first = second @ mix.T, mix @ first
    return _Pair(second, first, -first @ mean, matrix @ mean)


def _decomposed(matrix: np.ndarray, rows: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """(outputs, rank) and (rank, inputs), whose product is nearest to the matrix for rows around their mean."""
    centred = rows - rows.mean(axis=0)
    covariance = centred.T @ centred / len(rows)
    variance = float(np.trace(covariance)) / len(covariance)
    root = np.linalg.cholesky(covariance + np.eye(len(covariance)) * (_DAMPING * variance if variance > 0.0 else 1.0))
    left, strengths, right = np.linalg.svd(matrix @ root, full_matrices=False)
    # Half of the strength to each side keeps the ranges of both alike, which int8 likes best.
    halves = np.sqrt(strengths[:rank])
    signs = np.sign(left[np.argmax(np.abs(left), axis=0), np.arange(left.shape[1])])[:rank]
    second = left[:, :rank] * (signs * halves)
    first = np.linalg.solve(root.T, (right[:rank] * (signs * halves)[:, None]).T).T
    return second, first
