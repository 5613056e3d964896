"""Layer by layer: how far weights that became int8 are from the original's, found again by their direction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from ..contract import LayerError
from .constants import is_constant, values
from .schema import BuiltinOperator, ModelT, SubGraphT, TensorT, TensorType, builtin_code, operator_name

ALIKE = 0.97
"""Least cosine similarity to a tensor of the original that is taken for the same one. Of MediaPipe's models, weights
rounded to 8 bits stay above 0.999 and two different layers of one shape below 0.4.
"""

_FLOATS = (TensorType.FLOAT16, TensorType.FLOAT32)


def weight_errors(original: ModelT, quantized: ModelT) -> tuple[LayerError, ...]:
    """For each operator with int8 weights, in the order of running: its place, name, shape of weights and their SNR.

    `snr_db` is 10 log10 of the power of the original's weights over that of the difference. It is None where the
    original has no such weights, because a pass merged or rescaled the layer, and where there is no difference.
    """
    known = _floats(original)
    found = []
    for place, name, tensor in _int8_layers(quantized):
        weights = _dequantized(quantized, tensor)
        found.append(
            LayerError(
                place=int(place),
                operator=name,
                shape=tuple(int(size) for size in tensor.shape),
                weights=int(weights.size),
                snr_db=_snr(known.get(_key(tensor), []), weights.ravel()),
            )
        )
    return tuple(found)


def _floats(model: ModelT) -> Mapping[tuple[int, ...], list[np.ndarray]]:
    """The float constants of a model, flat, by their shape without ones: a 1×1 convolution may be a product later."""
    found: dict[tuple[int, ...], list[np.ndarray]] = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.type in _FLOATS and tensor.sparsity is None and is_constant(model, tensor):
                found.setdefault(_key(tensor), []).append(values(model, tensor).astype(np.float64).ravel())
    return found


def _int8_layers(model: ModelT) -> Iterator[tuple[int, str, TensorT]]:
    """Operators that read int8 weights, themselves or through a DEQUANTIZE."""
    names = [operator_name(code) for code in model.operatorCodes]
    codes = [builtin_code(code) for code in model.operatorCodes]
    for graph in model.subgraphs:
        behind: dict[int, int] = {}
        for place, operator in enumerate(graph.operators):
            read = [behind.get(int(index), int(index)) for index in operator.inputs]
            weights = [index for index in read if index >= 0 and _is_weights(model, graph, index)]
            if codes[operator.opcodeIndex] == BuiltinOperator.DEQUANTIZE:
                behind.update({int(operator.outputs[0]): index for index in weights})
                continue
            for index in weights:
                yield place, names[operator.opcodeIndex], graph.tensors[index]


def _is_weights(model: ModelT, graph: SubGraphT, index: int) -> bool:
    tensor = graph.tensors[index]
    parameters = tensor.quantization
    scaled = parameters is not None and parameters.scale is not None and len(parameters.scale) > 0
    dense = tensor.sparsity is None and len(tensor.shape) > 1
    return tensor.type == TensorType.INT8 and scaled and dense and is_constant(model, tensor)


def _dequantized(model: ModelT, tensor: TensorT) -> np.ndarray:
    parameters = tensor.quantization
    scale = np.asarray(parameters.scale, dtype=np.float64)
    zero = np.zeros(1) if parameters.zeroPoint is None else np.asarray(parameters.zeroPoint, dtype=np.float64)
    along = [1] * len(tensor.shape)
    along[parameters.quantizedDimension] = -1
    shape = along if len(scale) > 1 else [1] * len(tensor.shape)
    zero = np.broadcast_to(zero, scale.shape)
    weights: np.ndarray = (values(model, tensor) - zero.reshape(shape)) * scale.reshape(shape)
    return weights


def _key(tensor: TensorT) -> tuple[int, ...]:
    return tuple(int(size) for size in tensor.shape if size != 1)


def _snr(candidates: list[np.ndarray], weights: np.ndarray) -> float | None:
    nearest, best = None, ALIKE
    for candidate in candidates:
        lengths = float(np.linalg.norm(candidate) * np.linalg.norm(weights))
        cosine = float(candidate @ weights) / lengths if lengths else 0.0
        if cosine >= best:
            nearest, best = candidate, cosine
    if nearest is None:
        return None
    error = float(np.square(weights - nearest).sum())
    return 10.0 * math.log10(float(np.square(nearest).sum()) / error) if error else None
