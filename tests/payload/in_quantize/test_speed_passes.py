"""Each pass for speed on a small graph: what it rewrites, that answers stay the same, what it leaves alone."""

from __future__ import annotations

import copy
import unittest
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from envguard_payload.graph import facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.passes import fuse_activation, group_prelu, matrix_product, widen_prelu
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import quantizing
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.roads import lint

random = np.random.default_rng(0)


def conv_options() -> Any:
    options = generated.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding = generated.Padding.VALID
    return options


def convolution(height: int, channels: int, after: int | None = None, *, kernel: int = 1) -> Any:
    """A convolution over (1, height, 12, channels), and one more operator behind it if asked for."""
    build = GraphBuilder()
    made = (1, height - kernel + 1, 12 - kernel + 1, channels)
    image, hidden = build.tensor("image", (1, height, 12, channels)), build.tensor("hidden", made)
    weights = build.constant("kernel", random.normal(0, 0.3, (channels, kernel, kernel, channels)).astype(np.float32))
    bias = build.constant("bias", random.normal(0, 0.1, channels).astype(np.float32))
    build.operator(BuiltinOperator.CONV_2D, [image, weights, bias], [hidden], conv_options())
    if after is None:
        return build.finish([image], [hidden])
    output = build.tensor("output", made)
    slopes = [build.constant("slopes", random.random((1, 1, channels)).astype(np.float32))]
    build.operator(after, [hidden, *(slopes if after == BuiltinOperator.PRELU else [])], [output])
    return build.finish([image], [output])


def widened(model: Any) -> Any:
    return widen_prelu.apply(model, most_channels=16)


class SpeedPass(unittest.TestCase):
    def assert_same_answers(self, before: Any, after: Any, tolerance: float = 0.0) -> None:
        runners = [Runner(models.save(model)) for model in (before, after)]
        inputs = [random.normal(0, 1, port.shape).astype(np.float32) for port in runners[0].inputs]
        one, other = (runner.answer(inputs)[0] for runner in runners)
        self.assertEqual(one.shape, other.shape)
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)

    def applied(self, model: Any, graph_pass: Any, changed: int, tolerance: float = 0.0) -> Any:
        before = copy.deepcopy(model)
        self.assertEqual(graph_pass(model).changed, changed)
        self.assert_same_answers(before, model, tolerance)
        return model


class WidenPrelu(SpeedPass):
    def test_few_slopes_are_repeated_along_the_width(self) -> None:
        model = self.applied(convolution(6, 8, BuiltinOperator.PRELU), widened, 1)
        slopes = model.subgraphs[0].operators[1].inputs[1]
        self.assertEqual(list(model.subgraphs[0].tensors[slopes].shape), [1, 12, 8])

    def test_many_channels_stay(self) -> None:
        self.applied(convolution(6, 32, BuiltinOperator.PRELU), widened, 0)

    def test_a_slope_for_each_element_stays(self) -> None:
        model = convolution(6, 8, BuiltinOperator.PRELU)
        widened(model)
        self.assertEqual(widened(model).changed, 0)

    def test_a_width_known_only_at_run_time_stays(self) -> None:
        model = convolution(6, 8, BuiltinOperator.PRELU)
        model.subgraphs[0].tensors[1].shapeSignature = [1, 6, -1, 8]
        self.assertEqual(widened(model).changed, 0)


class GroupPrelu(SpeedPass):
    def test_pixels_of_few_channels_become_one_and_are_parted_again(self) -> None:
        model = self.applied(convolution(6, 8, BuiltinOperator.PRELU), group_prelu.apply, 1)
        graph = model.subgraphs[0]
        slopes = graph.tensors[graph.operators[2].inputs[1]]
        self.assertEqual(list(slopes.shape), [1, 1, 12 * 8])
        self.assertEqual(facts.operator_counts(model), {"CONV_2D": 1, "PRELU": 1, "RESHAPE": 2})

    def test_a_batch_of_any_size_stays_one(self) -> None:
        model = convolution(6, 8, BuiltinOperator.PRELU)
        for tensor in model.subgraphs[0].tensors:
            if tensor.buffer == 0:
                tensor.shapeSignature = [-1, *tensor.shape[1:]]
        before = copy.deepcopy(model)
        self.assertEqual(group_prelu.apply(model).changed, 1)
        answers = []
        for each in (before, model):
            interpreter = Interpreter(model_content=bytes(models.save(each)))
            place = interpreter.get_input_details()[0]["index"]
            interpreter.resize_tensor_input(place, (3, 6, 12, 8))
            interpreter.allocate_tensors()
            interpreter.set_tensor(place, np.random.default_rng(1).normal(0, 1, (3, 6, 12, 8)).astype(np.float32))
            interpreter.invoke()
            answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
        self.assertEqual(answers[1].shape, (3, 6, 12, 8))
        np.testing.assert_array_equal(*answers)

    def test_every_road_takes_what_it_makes(self) -> None:
        model = convolution(6, 8, BuiltinOperator.PRELU)
        group_prelu.apply(model)
        self.assertEqual({each.verdict for each in lint.linted(model)}, {"taken"})

    def test_many_channels_and_what_others_read_too_stay(self) -> None:
        self.applied(convolution(6, 16, BuiltinOperator.PRELU), group_prelu.apply, 0)
        model = convolution(6, 8, BuiltinOperator.PRELU)
        graph = model.subgraphs[0]
        graph.outputs = [*graph.outputs, graph.operators[0].outputs[0]]
        self.applied(model, group_prelu.apply, 0)

    def test_slopes_for_each_element_and_open_sizes_stay(self) -> None:
        model = convolution(6, 8, BuiltinOperator.PRELU)
        widened(model)
        self.assertEqual(group_prelu.apply(model).changed, 0)
        model = convolution(6, 8, BuiltinOperator.PRELU)
        model.subgraphs[0].tensors[1].shapeSignature = [1, 6, -1, 8]
        self.assertEqual(group_prelu.apply(model).changed, 0)


class FuseActivation(SpeedPass):
    def test_a_relu_goes_into_the_operator_before_it(self) -> None:
        model = self.applied(convolution(6, 8, BuiltinOperator.RELU), fuse_activation.apply, 1)
        self.assertEqual(facts.operator_counts(model), {"CONV_2D": 1})

    def test_a_relu6_keeps_its_bound(self) -> None:
        self.applied(convolution(6, 8, BuiltinOperator.RELU6), fuse_activation.apply, 1)

    def test_a_relu_whose_input_others_read_stays(self) -> None:
        model = convolution(6, 8, BuiltinOperator.RELU)
        model.subgraphs[0].outputs.append(1)
        self.assertEqual(fuse_activation.apply(model).changed, 0)

    def test_a_relu_behind_a_clamp_stays(self) -> None:
        model = convolution(6, 8, BuiltinOperator.RELU)
        model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 3
        self.applied(model, fuse_activation.apply, 0)


class MatrixProduct(SpeedPass):
    def test_a_convolution_over_one_row_becomes_a_matrix_product_of_the_same_shape(self) -> None:
        model = self.applied(convolution(1, 24), matrix_product.apply, 1, tolerance=1e-5)
        self.assertEqual(facts.operator_counts(model), {"FULLY_CONNECTED": 1})

    def test_a_convolution_over_a_picture_stays(self) -> None:
        self.applied(convolution(6, 24), matrix_product.apply, 0)

    def test_a_single_pixel_stays(self) -> None:
        model = convolution(1, 24)
        for tensor in model.subgraphs[0].tensors[:2]:
            tensor.shape = [1, 1, 1, 24]
        self.applied(model, matrix_product.apply, 0)

    def test_it_is_quantized_to_compute_in_int8_and_answers_alike(self) -> None:
        model = convolution(1, 96)
        data = models.save(model)
        outcome = quantizing.quantize(data, "it", quantizing.Order(len(data)))
        quantized = models.load(outcome.data, "it")
        self.assertEqual(facts.operator_counts(quantized), {"FULLY_CONNECTED": 1})
        self.assertEqual(outcome.summary().arithmetic, "float32, and int8 in 1 matrix products")
        self.assert_same_answers(model, quantized, tolerance=0.25)


if __name__ == "__main__":
    unittest.main()
