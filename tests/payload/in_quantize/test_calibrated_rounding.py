"""Rounding on real inputs: what is fed back, what a walk sees, and that answers get closer than without."""

from __future__ import annotations

import copy
import unittest
from typing import Any

import numpy as np
from envguard_payload.files.calibration import Samples, samples
from envguard_payload.graph import balanced_rounding, error_feedback
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.constants import values
from envguard_payload.graph.passes import strip_names
from envguard_payload.graph.patches import patches
from envguard_payload.graph.schema import BuiltinOperator, TensorType, generated
from envguard_payload.int8 import calibrated_rounding, recipes
from envguard_payload.int8.walking import Walk
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.protocol import Refused

CHANNELS = 32
SIDE = 8


def options(stride: int = 1, activation: int = 0) -> Any:
    conv = generated.Conv2DOptionsT()
    conv.strideH = conv.strideW = stride
    conv.dilationHFactor = conv.dilationWFactor = 1
    conv.padding, conv.fusedActivationFunction = generated.Padding.SAME, activation
    return conv


def network() -> GraphBuilder:
    """Two convolutions, the first with a fused RELU, which share one bias, and a sum of both."""
    random = np.random.default_rng(0)
    build = GraphBuilder()
    shape = (1, SIDE, SIDE, CHANNELS)
    image, hidden, last, output = (build.tensor(name, shape) for name in ("image", "hidden", "last", "output"))
    bias = build.constant("bias", random.normal(0, 0.1, CHANNELS).astype(np.float32))
    for source, target, kernel, activation in ((image, hidden, 3, 1), (hidden, last, 1, 0)):
        weights = random.normal(0, 0.1, (CHANNELS, kernel, kernel, CHANNELS)).astype(np.float32)
        kernel_index = build.constant(f"kernel {target}", weights)
        build.operator(BuiltinOperator.CONV_2D, [source, kernel_index, bias], [target], options(activation=activation))
    build.operator(BuiltinOperator.ADD, [hidden, last], [output], generated.AddOptionsT())
    build.finish([image], [output])
    return build


def real_inputs(count: int = 24, seed: int = 1) -> Samples:
    """Inputs whose channels go together, as those of real feature maps do."""
    random = np.random.default_rng(seed)
    few = random.random((count, SIDE, SIDE, 4))
    mixed = few @ np.random.default_rng(5).normal(0.3, 1, (4, CHANNELS))
    return Samples(mixed.astype(np.float32), (0.0, 1.0))


def rounded(model: Any) -> Any:
    calibrated_rounding.apply(model, recipes.choose(model, 0), real_inputs())
    return model


def answers(model: Any, inputs: Samples) -> np.ndarray:
    runner = Runner(models.save(model))
    return np.stack([runner.answer(sample)[0] for sample in inputs])


class ErrorFeedback(unittest.TestCase):
    def setUp(self) -> None:
        random = np.random.default_rng(0)
        self.weights = random.normal(0, 1, (24, 40)).astype(np.float32)
        self.inputs = (random.random((500, 6)) @ random.normal(0, 1, (6, 40))).astype(np.float32)
        self.moments = error_feedback.second_moments([self.inputs[:200], self.inputs[200:]])
        self.rounded = error_feedback.representable(self.weights, self.moments)
        self.scale = np.abs(self.weights).max(axis=1, keepdims=True) / 127

    def test_every_weight_lies_on_a_step_of_the_scale_that_the_quantizer_finds(self) -> None:
        steps = self.rounded / self.scale
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
        np.testing.assert_allclose(np.abs(self.rounded).max(axis=1), np.abs(self.weights).max(axis=1), rtol=1e-6)

    def test_answers_to_the_inputs_are_several_times_closer_than_with_nearest_rounding(self) -> None:
        nearest = np.round(self.weights / self.scale) * self.scale
        errors = [np.abs(self.inputs @ (each - self.weights).T).mean() for each in (self.rounded, nearest)]
        self.assertLess(errors[0], 0.3 * errors[1])

    def test_zeros_stay_zeros_and_a_row_of_zeros_is_no_division_by_zero(self) -> None:
        self.weights[:, 7] = 0
        self.weights[3] = 0
        result = error_feedback.representable(self.weights, self.moments)
        self.assertFalse(np.any(result[self.weights == 0]))
        self.assertTrue(np.isfinite(result).all())

    def test_inputs_that_never_come_do_no_harm(self) -> None:
        moments = error_feedback.second_moments([np.zeros((5, 40), np.float32)])
        result = error_feedback.representable(self.weights, moments)
        self.assertLessEqual((np.abs(result - self.weights) / self.scale).max(), 0.501)


class Patches(unittest.TestCase):
    def test_rows_times_weights_are_what_the_convolution_gives(self) -> None:
        random = np.random.default_rng(2)
        for stride, kernel in ((1, 3), (2, 3), (2, 2), (1, 1)):
            weights = random.normal(0, 1, (5, kernel, kernel, 4)).astype(np.float32)
            image = random.random((1, 9, 7, 4)).astype(np.float32)
            build = GraphBuilder()
            source = build.tensor("image", image.shape)
            output = build.tensor("output", (1, -(-9 // stride), -(-7 // stride), 5))
            constants = [build.constant("kernel", weights), build.constant("bias", np.zeros(5, np.float32))]
            build.operator(BuiltinOperator.CONV_2D, [source, *constants], [output], options(stride))
            expected = Runner(models.save(build.finish([source], [output]))).answer([image])[0]
            rows = patches(BuiltinOperator.CONV_2D, options(stride), weights, [image])
            assert rows is not None
            product = rows[0] @ weights.reshape(5, -1).T
            np.testing.assert_allclose(product.reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)

    def test_dilated_and_grouped_convolutions_have_none(self) -> None:
        image, weights = np.zeros((1, 8, 8, 4), np.float32), np.zeros((5, 3, 3, 4), np.float32)
        dilated = options()
        dilated.dilationWFactor = 2
        self.assertIsNone(patches(BuiltinOperator.CONV_2D, dilated, weights, [image]))
        self.assertIsNone(patches(BuiltinOperator.CONV_2D, options(), weights[..., :2], [image]))


class Walking(unittest.TestCase):
    def test_stopping_on_the_way_changes_nothing(self) -> None:
        model, inputs = network().model, real_inputs(3)
        walk = Walk(model, inputs)
        walk.advance(1)
        walk.step(walk.outputs())
        np.testing.assert_allclose(np.stack(walk.outputs()), answers(model, inputs), rtol=1e-4, atol=1e-5)


class CalibratedRounding(unittest.TestCase):
    def test_answers_to_other_inputs_are_closer_than_without_calibration(self) -> None:
        exact, calibrated, plain = network().model, rounded(network().model), network().model
        for weights in recipes.choose(plain, 0).weights:
            tensor = plain.subgraphs[0].tensors[weights.tensor]
            balanced = balanced_rounding.representable(values(plain, tensor), weights.channel_dimension)
            plain.buffers[tensor.buffer].data = balanced.view(np.uint8).ravel()
        others = real_inputs(8, seed=99)
        expected = answers(exact, others)
        errors = [np.abs(answers(model, others) - expected).mean() for model in (calibrated, plain)]
        self.assertLess(errors[0], 0.5 * errors[1])

    def test_the_means_of_the_output_channels_stay(self) -> None:
        inputs = real_inputs()
        before, after = answers(network().model, inputs), answers(rounded(network().model), inputs)
        # The sum's first half goes through a RELU, behind which a mean is only nearly kept.
        np.testing.assert_allclose(after.mean(axis=(0, 1, 2, 3)), before.mean(axis=(0, 1, 2, 3)), atol=2e-4)

    def test_a_shared_bias_is_corrected_for_each_layer_apart(self) -> None:
        first, second = rounded(network().model).subgraphs[0].operators[:2]
        self.assertNotEqual(first.inputs[2], second.inputs[2])

    def test_the_same_inputs_give_the_same_bytes(self) -> None:
        self.assertEqual(models.save(rounded(network().model)), models.save(rounded(network().model)))

    def test_models_with_several_subgraphs_are_not_taken(self) -> None:
        model = network().model
        self.assertTrue(calibrated_rounding.takes(model))
        model.subgraphs.append(copy.deepcopy(model.subgraphs[0]))
        self.assertFalse(calibrated_rounding.takes(model))


class GivenSamples(unittest.TestCase):
    def test_pixels_are_normalised_as_the_model_says(self) -> None:
        pixels = np.full((2, SIDE, SIDE, CHANNELS), 255, np.uint8)
        found = samples({"it": pixels}, "it", network().model)
        assert found is not None
        self.assertEqual((len(found), found[0][0].shape), (2, (1, SIDE, SIDE, CHANNELS)))
        np.testing.assert_allclose(found[1][0], 1.0)

    def test_arrays_of_another_shape_are_refused_and_those_of_another_name_not_taken(self) -> None:
        model = network().model
        with self.assertRaisesRegex(Refused, "does not fit it"):
            samples({"it": np.zeros((2, 4, 4, CHANNELS), np.float32)}, "it", model)
        self.assertIsNone(samples({"it": np.zeros((2, SIDE, SIDE, CHANNELS), np.float32)}, "other", model))

    def test_every_input_gets_its_own_array_in_its_own_type_and_a_whole_batch(self) -> None:
        build = GraphBuilder()
        table, ids = build.tensor("table", (2, 3)), build.tensor("ids", (2, 1), TensorType.INT32)
        build.finish([table, ids], [])
        given = {"it:0": np.arange(12.0).reshape(4, 3), "it:1": np.arange(4)[:, None]}
        found = samples(given, "it", build.model)
        assert found is not None
        self.assertEqual([len(found), len(list(found))], [2, 2])
        self.assertEqual([(array.dtype.name, array.tolist()) for array in found[1]], [
            ("float32", [[6, 7, 8], [9, 10, 11]]), ("int32", [[2], [3]]),
        ])  # fmt: skip
        with self.assertRaisesRegex(Refused, "does not fit it"):
            samples({"it:0": given["it:0"]}, "it", build.model)
        self.assertIsNone(samples({name: rows[:1] for name, rows in given.items()}, "it", build.model))


class StripNames(unittest.TestCase):
    def test_names_of_inputs_and_outputs_stay_and_all_others_go(self) -> None:
        model = network().model
        report = strip_names.apply(model)
        self.assertEqual(report.changed, 5)
        left = [tensor.name for tensor in model.subgraphs[0].tensors if tensor.name]
        self.assertEqual(left, [b"image", b"output"])
        np.testing.assert_array_equal(answers(model, real_inputs(1)), answers(network().model, real_inputs(1)))


if __name__ == "__main__":
    unittest.main()
