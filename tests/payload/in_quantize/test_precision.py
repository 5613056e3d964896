"""The passes that decide in what precision a constant is stored."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from envguard_payload.graph import balanced_rounding, constants
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.passes import fold_float16, store_float16
from envguard_payload.graph.schema import BuiltinOperator, TensorType, generated
from envguard_payload.int8 import recipes


def convolution(weights: np.ndarray, bias: np.ndarray, count: int = 1) -> GraphBuilder:
    """`count` convolutions in a row that share their weights and bias; channels in and out are the same."""
    build = GraphBuilder()
    channels = weights.shape[0]
    tensors = [build.tensor(f"features {number}", (1, 8, 8, channels)) for number in range(count + 1)]
    kernel, offset = build.constant("weights", weights), build.constant("bias", bias)
    for number in range(count):
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        inputs = [tensors[number], kernel, offset]
        build.operator(BuiltinOperator.CONV_2D, inputs, [tensors[number + 1]], options)
    build.finish([tensors[0]], [tensors[-1]])
    return build


def halves(*shape: int) -> np.ndarray:
    """Random float32 values that float16 holds exactly."""
    return np.random.default_rng(0).normal(0, 1, shape).astype(np.float16).astype(np.float32)


def float16_names(model: Any) -> set[bytes]:
    return {tensor.name for tensor in model.subgraphs[0].tensors if tensor.type == TensorType.FLOAT16}


class StoreFloat16(unittest.TestCase):
    def test_weights_and_bias_are_stored_together_and_without_loss(self) -> None:
        build = convolution(halves(32, 3, 3, 32), halves(32))
        report = store_float16.apply(build.model)
        self.assertEqual((report.changed, report.lossless), (2, True))
        self.assertEqual(float16_names(build.model), {b"weights", b"bias"})

    def test_folding_undoes_it(self) -> None:
        weights = halves(32, 3, 3, 32)
        build = convolution(weights, halves(32))
        store_float16.apply(build.model)
        fold_float16.apply(build.model)
        kernel = build.graph.tensors[build.graph.operators[0].inputs[1]]
        np.testing.assert_array_equal(constants.values(build.model, kernel), weights)

    def test_rounding_is_owned_up_to(self) -> None:
        build = convolution(halves(32, 3, 3, 32) * np.float32(1.0001), halves(32))
        self.assertFalse(store_float16.apply(build.model).lossless)

    def test_values_that_float16_cannot_hold_stay(self) -> None:
        for value in (1e6, np.inf, np.nan):
            weights = halves(32, 3, 3, 32)
            weights[0, 0, 0, 0] = value
            self.assertEqual(store_float16.apply(convolution(weights, halves(32)).model).changed, 0)

    def test_a_bias_beside_weights_of_another_precision_stays(self) -> None:
        build = convolution(halves(256, 1, 1, 256), halves(256))
        kernel = build.graph.tensors[build.graph.operators[0].inputs[1]]
        kernel.type, kernel.buffer = TensorType.INT8, 0
        self.assertEqual(store_float16.apply(build.model).changed, 0)

    def test_a_bias_that_an_int8_operator_shares_keeps_both_operators_as_they_are(self) -> None:
        build = convolution(halves(256, 1, 1, 256), halves(256), count=2)
        other = build.tensor("int8 weights, dequantized", (256, 1, 1, 256))
        build.graph.operators[1].inputs[1] = other
        self.assertEqual(store_float16.apply(build.model).changed, 0)

    def test_shared_weights_are_stored_once(self) -> None:
        build = convolution(halves(32, 3, 3, 32), halves(32), count=3)
        self.assertEqual(store_float16.apply(build.model).changed, 2)

    def test_small_constants_are_not_worth_an_operator(self) -> None:
        self.assertEqual(store_float16.apply(convolution(halves(4, 1, 1, 4), halves(4)).model).changed, 0)


class BalancedRounding(unittest.TestCase):
    def setUp(self) -> None:
        self.weights = np.random.default_rng(0).normal(0, 1, (16, 3, 3, 24)).astype(np.float32)
        self.rounded = balanced_rounding.representable(self.weights, channel_dimension=0)
        self.scale = np.abs(self.weights).max(axis=(1, 2, 3), keepdims=True) / 127

    def test_every_weight_lies_on_a_step_and_within_one_step(self) -> None:
        steps = self.rounded / self.scale
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
        self.assertLessEqual(np.abs(self.rounded - self.weights).max(), self.scale.max() * 1.001)

    def test_every_plane_keeps_its_sum_within_half_a_step(self) -> None:
        errors = ((self.rounded - self.weights) / self.scale).sum(axis=(1, 2))
        self.assertLessEqual(np.abs(errors).max(), 0.501)

    def test_a_matrix_is_rounded_to_the_nearest_step(self) -> None:
        matrix = self.weights.reshape(16, -1)
        errors = np.abs(balanced_rounding.representable(matrix, 0) - matrix)
        self.assertLessEqual((errors / self.scale.reshape(16, 1)).max(), 0.501)

    def test_zeros_stay_zeros(self) -> None:
        sparse = self.weights * (np.random.default_rng(1).random(self.weights.shape) < 0.3)
        rounded = balanced_rounding.representable(sparse, 0)
        self.assertFalse(np.any(rounded[sparse == 0]))

    def test_a_channel_of_zeros_is_no_division_by_zero(self) -> None:
        self.weights[3] = 0
        self.assertFalse(np.any(balanced_rounding.representable(self.weights, 0)[3]))

    def test_depthwise_kernels_have_their_channels_last(self) -> None:
        weights = np.random.default_rng(0).normal(0, 1, (1, 5, 5, 40)).astype(np.float32)
        scale = np.abs(weights).max(axis=(0, 1, 2)) / 127
        errors = (balanced_rounding.representable(weights, 3) - weights).sum(axis=(0, 1, 2)) / scale
        self.assertLessEqual(np.abs(errors).max(), 0.501)


class Recipe(unittest.TestCase):
    def choose(self, weights: np.ndarray, file_bytes: int = 0) -> recipes.Choice:
        return recipes.choose(convolution(weights, halves(weights.shape[0])).model, file_bytes)

    def test_a_kernel_that_gains_is_chosen(self) -> None:
        choice = self.choose(halves(64, 3, 3, 64))
        described = choice.summary()
        self.assertEqual((len(choice.operators), described.int8_weights, described.float_tensors), (1, 64 * 9 * 64, 0))

    def test_a_kernel_whose_scales_outweigh_it_is_kept(self) -> None:
        choice = self.choose(halves(64, 1, 1, 4))
        self.assertEqual((choice.operators, choice.summary().float_weights), ((), 64 * 4))

    def test_a_kernel_that_is_small_in_its_file_is_kept(self) -> None:
        weights = halves(64, 3, 3, 64)
        self.assertFalse(self.choose(weights, file_bytes=2 * weights.size * 300).operators)
        self.assertTrue(self.choose(weights, file_bytes=2 * weights.size * 200).operators)

    def test_of_a_model_that_is_small_in_its_file_the_second_half_is_kept(self) -> None:
        build = GraphBuilder()
        tensors = [build.tensor(f"t{number}", (1, 8, 8, 64)) for number in range(5)]
        for source, target in zip(tensors, tensors[1:]):  # noqa: B905, RUF007 - Python 3.9
            operands = [build.constant("kernel", halves(64, 3, 3, 64)), build.constant("bias", halves(64))]
            build.operator(BuiltinOperator.CONV_2D, [source, *operands], [target])
        model = build.finish(tensors[:1], tensors[-1:])
        fold = 4 * 64 * 9 * 64
        whole, half = (recipes.choose(model, file_bytes).operators for file_bytes in (fold * 20, fold * 30))
        self.assertEqual([operator.output for operator in whole], tensors[1:])
        self.assertEqual([operator.output for operator in half], tensors[1:3])

    def test_weights_with_nan_are_kept(self) -> None:
        weights = halves(64, 3, 3, 64)
        weights[0, 0, 0, 0] = np.nan
        self.assertFalse(self.choose(weights).operators)


if __name__ == "__main__":
    unittest.main()
