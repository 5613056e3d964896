"""What prepares convolutions for int8 arithmetic: answers stay the same in float, and are nearer to it in int8."""

from __future__ import annotations

import copy
import unittest
from collections.abc import Sequence
from typing import Any

import numpy as np
from envguard_payload.graph import facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.passes import dead_code, merge_convolutions, tensor_names
from envguard_payload.graph.schema import BuiltinOperator, generated, text
from envguard_payload.int8 import calibrated_rounding, equalizing, quantizer_api, recipes
from envguard_payload.measuring.interpreting import Runner

random = np.random.default_rng(0)
SIDE = 12


class Pictures(GraphBuilder):  # type: ignore[misc]
    """A picture of (1, 12, 12, 3) and layers over it."""

    def __init__(self) -> None:
        super().__init__()
        self.image = self.tensor("image", (1, SIDE, SIDE, 3))

    def floats(self, *shape: int, scale: float = 0.4) -> Any:
        return self.constant("floats", random.normal(0, scale, shape).astype(np.float32))

    def convolution(
        self, source: int, channels: int, kernel: int = 1, spread: Sequence[float] = (), heard: Sequence[float] = ()
    ) -> Any:
        """`spread` multiplies the outputs, `heard` the inputs."""
        before = self.graph.tensors[source].shape
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        weights = random.normal(0, 0.4, (channels, kernel, kernel, before[3])).astype(np.float32)
        weights *= np.array(spread or 1, np.float32).reshape(-1, 1, 1, 1) * np.array(heard or 1, np.float32)
        made = self.tensor("made", [*before[:3], channels])
        inputs = [source, self.constant("kernel", weights), self.floats(channels)]
        self.operator(BuiltinOperator.CONV_2D, inputs, [made], options)
        return made

    def depthwise(self, source: int, stride: int = 1) -> Any:
        _, height, width, channels = self.graph.tensors[source].shape
        options = generated.DepthwiseConv2DOptionsT()
        options.strideH = options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = options.depthMultiplier = 1
        made = self.tensor("made", [1, height // stride, width // stride, channels])
        inputs = [source, self.floats(1, 3, 3, channels), self.floats(channels)]
        self.operator(BuiltinOperator.DEPTHWISE_CONV_2D, inputs, [made], options)
        return made

    def slopes(self, source: int) -> Any:
        shape = self.graph.tensors[source].shape
        made = self.tensor("made", shape)
        self.operator(BuiltinOperator.PRELU, [source, self.floats(1, 1, shape[3])], [made])
        return made

    def sum(self, one: int, other: int) -> Any:
        made = self.tensor("made", self.graph.tensors[one].shape)
        self.operator(BuiltinOperator.ADD, [one, other], [made], generated.AddOptionsT())
        return made


def pictures(count: int) -> list[list[np.ndarray]]:
    return [[random.random((1, SIDE, SIDE, 3)).astype(np.float32)] for _ in range(count)]


class OnPictures(unittest.TestCase):
    def assert_same_answers(self, before: Any, after: Any) -> None:
        one, other = (Runner(models.save(model)) for model in (before, after))
        for image in pictures(3):
            np.testing.assert_allclose(other.answer(image)[0], one.answer(image)[0], rtol=0, atol=1e-4)


class MergeConvolutions(OnPictures):
    def merged(self, net: Pictures, output: int, changed: int) -> Any:
        model = net.finish([net.image], [output])
        before = copy.deepcopy(model)
        self.assertEqual(merge_convolutions.apply(model, [output]).changed, changed)
        dead_code.apply(model)
        self.assert_same_answers(before, model)
        return model

    def test_a_depthwise_and_a_pointwise_convolution_become_one(self) -> None:
        for stride in (1, 2):
            net = Pictures()
            model = self.merged(net, net.convolution(net.depthwise(net.image, stride), 5), changed=1)
            self.assertEqual(facts.operator_counts(model), {"CONV_2D": 1})

    def test_an_activation_between_them_keeps_them_apart(self) -> None:
        net = Pictures()
        self.merged(net, net.convolution(net.slopes(net.depthwise(net.image)), 5), changed=0)
        net = Pictures()
        output = net.convolution(net.depthwise(net.image), 5)
        net.graph.operators[0].builtinOptions.fusedActivationFunction = generated.ActivationFunctionType.RELU
        self.merged(net, output, changed=0)

    def test_what_a_second_one_reads_stays(self) -> None:
        net = Pictures()
        between = net.depthwise(net.image)
        self.merged(net, net.sum(net.convolution(between, 3), between), changed=0)

    def test_a_larger_kernel_behind_it_stays(self) -> None:
        net = Pictures()
        self.merged(net, net.convolution(net.depthwise(net.image), 5, kernel=3), changed=0)

    def test_only_those_asked_for_are_merged(self) -> None:
        net = Pictures()
        first = net.convolution(net.depthwise(net.image), 5)
        self.merged(net, net.convolution(net.depthwise(first), 5), changed=1)


class Equalizing(OnPictures):
    def equalized(self, net: Pictures, *outputs: int, changed: int, kept: Sequence[int] = ()) -> tuple[Any, Any]:
        model = net.finish([net.image], [outputs[-1]])
        before = copy.deepcopy(model)
        seen = equalizing.observe(model, outputs, pictures(6))
        self.assertEqual(equalizing.apply(model, outputs, seen, kept).changed, changed)
        self.assert_same_answers(before, model)
        return before, model

    def channels(self, model: Any, index: int) -> np.ndarray:
        """The largest magnitude of each channel of a tensor."""
        model = copy.deepcopy(model)
        model.subgraphs[0].outputs = [index]
        dead_code.apply(model)
        answers = [Runner(models.save(model)).answer(image)[0] for image in pictures(6)]
        return np.abs(np.concatenate(answers)).max(axis=(0, 1, 2))

    def test_channels_get_like_ranges(self) -> None:
        net = Pictures()
        hidden = net.slopes(net.convolution(net.image, 4, spread=(100, 10, 1, 0.1)))
        before, after = self.equalized(net, net.convolution(hidden, 5, kernel=3), changed=4)
        ratios = [
            float(found.max() / found.min()) for found in (self.channels(each, hidden) for each in (before, after))
        ]
        self.assertGreater(ratios[0], 100)
        self.assertLess(ratios[1], ratios[0] / 10)

    def test_channels_that_a_sum_connects_get_one_factor(self) -> None:
        net = Pictures()
        one = net.convolution(net.image, 4, spread=(100, 1, 1, 1))
        both = net.slopes(net.sum(net.slopes(one), net.convolution(net.depthwise(net.image), 4)))
        self.equalized(net, net.convolution(both, 5, kernel=3), changed=4)

    def test_a_depthwise_convolution_has_factors_of_its_own_on_either_side(self) -> None:
        net = Pictures()
        between = net.depthwise(net.convolution(net.image, 4, spread=(50, 1, 1, 1)))
        self.equalized(net, net.convolution(between, 5, kernel=3), changed=4)

    def test_inputs_and_what_an_output_shows_keep_their_ranges(self) -> None:
        net = Pictures()
        self.equalized(net, net.convolution(net.image, 5, kernel=3), changed=0)
        net = Pictures()
        hidden = net.convolution(net.image, 4, spread=(100, 1, 1, 1))
        self.equalized(net, net.convolution(hidden, 4, kernel=3), net.sum(hidden, hidden), changed=0)

    def test_what_a_convolution_reads_that_has_int8_weights_alone_keeps_its_ranges(self) -> None:
        for kept, changed in ((True, 0), (False, 4)):
            net = Pictures()
            hidden = net.convolution(net.image, 4, spread=(100, 1, 1, 1))
            net.sum(net.convolution(hidden, 5, kernel=3), net.convolution(hidden, 5))
            first, second, summed = (each.outputs[0] for each in net.graph.operators[-3:])
            self.equalized(net, first, summed, changed=changed, kept=[second] if kept else [])

    def test_other_arithmetic_than_scaling_keeps_the_ranges_before_it(self) -> None:
        net = Pictures()
        hidden = net.convolution(net.image, 4, spread=(100, 1, 1, 1))
        squashed = net.tensor("squashed", net.graph.tensors[hidden].shape)
        net.operator(BuiltinOperator.TANH, [hidden], [squashed])
        self.equalized(net, net.convolution(squashed, 5, kernel=3), changed=0)

    def test_int8_arithmetic_errs_less(self) -> None:
        net = Pictures()
        hidden = net.slopes(net.convolution(net.image, 8, spread=(64, 32, 16, 8, 4, 2, 1, 1)))
        # What is small is weighted most, as in networks whose layers have learned to make up for each other.
        last = net.convolution(hidden, 6, kernel=3, heard=(1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 1))
        before, after = self.equalized(net, last, changed=8)
        images = pictures(8)
        exact = [Runner(models.save(before)).answer(image)[0] for image in images]
        errors = []
        for model in (before, after):
            answers = [Runner(in_int8(model, last)).answer(image)[0] for image in images]
            errors.append(float(np.mean([np.square(a - b) for a, b in zip(answers, exact)])))  # noqa: B905
        self.assertLess(errors[1], errors[0] / 4)


class Rounding(OnPictures):
    def test_layers_that_see_whole_pictures_are_rounded_on_a_part_of_their_rows(self) -> None:
        net = Pictures()
        model = net.finish([net.image], [net.convolution(net.image, 5, kernel=3)])
        kernel = np.zeros((5, 3, 3, 3), np.float32)
        inputs = [image[0] for image in pictures(4)]
        options = model.subgraphs[0].operators[0].builtinOptions
        full = calibrated_rounding._patches(BuiltinOperator.CONV_2D, options, kernel, inputs)
        limit = calibrated_rounding.MOST_ROWS
        calibrated_rounding.MOST_ROWS = 100
        try:
            thin = calibrated_rounding._patches(BuiltinOperator.CONV_2D, options, kernel, inputs)
        finally:
            calibrated_rounding.MOST_ROWS = limit
        assert full is not None
        assert thin is not None
        self.assertEqual([len(each) for each in full], [SIDE * SIDE] * 4)
        self.assertLessEqual(sum(map(len, thin)), 100)
        np.testing.assert_array_equal(thin[0][1], full[0][7])


def in_int8(model: Any, output: int) -> bytes:
    """The model with int8 arithmetic in the convolution that makes that tensor."""
    named = copy.deepcopy(model)
    tensor_names.make_unique(named)
    name = text(named.subgraphs[0].tensors[output].name)
    orders = [quantizer_api.Order(recipes.CONVOLUTION, name, dynamic=True)]
    return bytes(quantizer_api.quantize_weights(models.save(named), orders))


if __name__ == "__main__":
    unittest.main()
