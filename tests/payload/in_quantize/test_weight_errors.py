"""The error of each layer's weights: what rounding left, in decibels, and nothing where a layer has no counterpart."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, TensorType, generated
from envguard_payload.graph.weight_errors import weight_errors

SCALES = np.array([0.5, 0.25, 2.0])
ROUNDED = np.random.default_rng(5).integers(-127, 128, (3, 8)).astype(np.int8)
WEIGHTS = ROUNDED * SCALES[:, None]


def original(weights: np.ndarray, shape: tuple[int, ...]) -> Any:
    """A model with one layer, its weights float16 behind a DEQUANTIZE."""
    build = GraphBuilder()
    stored = build.constant("weights", weights.astype(np.float16).reshape(shape))
    made, source, output = build.tensor("w", shape), build.tensor("in", (1, 8)), build.tensor("out", (1, 3))
    build.operator(BuiltinOperator.DEQUANTIZE, [stored], [made])
    build.operator(BuiltinOperator.CONV_2D, [source, made], [output])
    return build.finish([source], [output])


def quantized(*, weight_only: bool = False, axis: int = 0) -> Any:
    """The same layer with int8 weights, as a matrix product, which reads them itself or through a DEQUANTIZE."""
    build = GraphBuilder()
    stored = build.constant("weights", ROUNDED if axis == 0 else np.ascontiguousarray(ROUNDED.T))
    parameters = generated.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint = SCALES.astype(np.float32), np.zeros(3, np.int64)
    parameters.quantizedDimension = axis
    build.graph.tensors[stored].quantization = parameters
    read, source, output = stored, build.tensor("in", (1, 8)), build.tensor("out", (1, 3))
    if weight_only:
        read = build.tensor("w", ROUNDED.shape)
        build.operator(BuiltinOperator.DEQUANTIZE, [stored], [read])
    build.operator(BuiltinOperator.FULLY_CONNECTED, [source, read, -1], [output])
    return build.finish([source], [output])


class WeightErrors(unittest.TestCase):
    def test_the_error_is_that_of_the_weights_whether_read_as_int8_or_as_float(self) -> None:
        exact = np.float16(WEIGHTS + 0.25).astype(np.float64)
        expected = 10 * math.log10(np.square(exact).sum() / np.square(exact - WEIGHTS).sum())
        for weight_only in (False, True):
            (layer,) = weight_errors(original(exact, (3, 1, 1, 8)), quantized(weight_only=weight_only))
            self.assertAlmostEqual(layer.snr_db, expected, places=6)
            self.assertEqual((layer.operator, layer.place), ("FULLY_CONNECTED", int(weight_only)))
            self.assertEqual((layer.shape, layer.weights), ((3, 8), 24))

    def test_scales_may_lie_along_another_axis(self) -> None:
        exact = WEIGHTS.T + 0.25
        (layer,) = weight_errors(original(exact, (1, 1, 8, 3)), quantized(axis=1))
        self.assertGreater(layer.snr_db, 30.0)

    def test_a_layer_without_its_like_in_the_original_has_no_error(self) -> None:
        others = np.random.default_rng(6).normal(size=(3, 8))
        for model in (original(others, (3, 8)), original(WEIGHTS[:, :4], (3, 4))):
            (layer,) = weight_errors(model, quantized())
            self.assertIsNone(layer.snr_db)

    def test_no_difference_is_no_number(self) -> None:
        (layer,) = weight_errors(original(WEIGHTS, (3, 8)), quantized())
        self.assertIsNone(layer.snr_db)

    def test_integers_without_a_scale_are_no_weights(self) -> None:
        model = quantized()
        model.subgraphs[0].tensors[0].quantization = None
        self.assertEqual(model.subgraphs[0].tensors[0].type, TensorType.INT8)
        self.assertEqual(weight_errors(original(WEIGHTS, (3, 8)), model), ())


if __name__ == "__main__":
    unittest.main()
