"""What is only computed for a part that nobody reads is left out, and answers stay the same."""

from __future__ import annotations

import copy
import unittest
from collections.abc import Sequence
from typing import Any

import numpy as np
from envguard_payload.graph import facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.passes import dead_code, narrow
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.measuring.interpreting import Runner

random = np.random.default_rng(0)
TOKENS, CHANNELS = 12, 16


class Network(GraphBuilder):  # type: ignore[misc]
    """A tensor of (1, 1, 12, 16), tokens by channels, and what a mixer does with it."""

    def __init__(self) -> None:
        super().__init__()
        self.image = self.tensor("image", (1, 1, TOKENS, CHANNELS))

    def numbers(self, *each: int) -> Any:
        return self.constant("numbers", np.array(each, np.int32))

    def floats(self, *shape: int) -> Any:
        return self.constant("floats", random.normal(0, 0.5, shape).astype(np.float32))

    def put(self, code: int, inputs: Sequence[int], shape: Sequence[int], options: Any = None) -> Any:
        made = self.tensor("made", shape)
        self.operator(code, inputs, [made], options)
        return made

    def convolution(self, source: int, channels: int, kernel: int = 1) -> Any:
        shape = list(self.graph.tensors[source].shape)
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        options.padding = generated.Padding.SAME
        weights = self.floats(channels, kernel, kernel, shape[3])
        return self.put(
            BuiltinOperator.CONV_2D, [source, weights, self.floats(channels)], [*shape[:3], channels], options
        )

    def sum(self, one: int, other: int) -> Any:
        return self.put(BuiltinOperator.ADD, [one, other], self.graph.tensors[one].shape, generated.AddOptionsT())

    def mean(self, source: int, axis: int) -> Any:
        shape = [1 if place == axis else size for place, size in enumerate(self.graph.tensors[source].shape)]
        options = generated.ReducerOptionsT()
        options.keepDims = True
        return self.put(BuiltinOperator.MEAN, [source, self.numbers(axis)], shape, options)

    def transposed(self, source: int) -> Any:
        shape = self.graph.tensors[source].shape
        order = self.numbers(0, 1, 3, 2)
        return self.put(BuiltinOperator.TRANSPOSE, [source, order], [*shape[:2], shape[3], shape[2]])

    def tokens(self, source: int, first: int, count: int) -> Any:
        channels = self.graph.tensors[source].shape[3]
        places = [self.numbers(0, 0, first, 0), self.numbers(1, 1, first + count, channels), self.numbers(1, 1, 1, 1)]
        options = generated.StridedSliceOptionsT()
        return self.put(BuiltinOperator.STRIDED_SLICE, [source, *places], [1, 1, count, channels], options)


class Narrow(unittest.TestCase):
    def narrowed(self, net: Network, *outputs: int, changed: int) -> Any:
        model = net.finish([net.image], outputs)
        before = copy.deepcopy(model)
        self.assertEqual(narrow.apply(model).changed, changed)
        dead_code.apply(model)
        one, other = (Runner(models.save(each)) for each in (before, model))
        image = [random.normal(0, 1, (1, 1, TOKENS, CHANNELS)).astype(np.float32)]
        for expected, given in zip(one.answer(image), other.answer(image)):  # noqa: B905 - Python 3.9
            self.assertEqual(expected.shape, given.shape)
            np.testing.assert_allclose(given, expected, rtol=0, atol=1e-5)
        return model

    def shapes(self, model: Any, code: int) -> list[list[int]]:
        graph = model.subgraphs[0]
        found = [each for each in graph.operators if model.operatorCodes[each.opcodeIndex].builtinCode == code]
        return [list(graph.tensors[each.outputs[0]].shape) for each in found]

    def test_a_block_of_which_one_token_is_read_computes_one_token(self) -> None:
        net = Network()
        hidden = net.convolution(net.convolution(net.image, 32), CHANNELS)
        token = net.convolution(net.tokens(net.sum(hidden, net.image), 3, 1), 4)
        model = self.narrowed(net, token, changed=3)
        self.assertEqual(self.shapes(model, BuiltinOperator.CONV_2D), [[1, 1, 1, 32], [1, 1, 1, 16], [1, 1, 1, 4]])
        self.assertEqual(facts.operator_counts(model), {"ADD": 1, "CONV_2D": 3, "STRIDED_SLICE": 1})

    def test_weights_of_outputs_that_nobody_reads_go(self) -> None:
        net = Network()
        mixed = net.transposed(net.convolution(net.transposed(net.image), TOKENS))
        model = self.narrowed(net, net.tokens(mixed, 5, 2), changed=2)
        weights = model.subgraphs[0].tensors[model.subgraphs[0].operators[1].inputs[1]]
        self.assertEqual(list(weights.shape), [2, 1, 1, TOKENS])

    def test_what_others_read_whole_stays_whole(self) -> None:
        net = Network()
        shared = net.convolution(net.image, CHANNELS)
        one = net.tokens(net.sum(shared, net.image), 0, 1)
        model = self.narrowed(net, one, net.mean(shared, 2), changed=1)
        self.assertEqual(self.shapes(model, BuiltinOperator.CONV_2D), [[1, 1, TOKENS, CHANNELS]])
        self.assertEqual(self.shapes(model, BuiltinOperator.ADD), [[1, 1, 1, CHANNELS]])

    def test_readers_of_different_tokens_keep_all_from_the_first_to_the_last(self) -> None:
        net = Network()
        hidden = net.convolution(net.image, 8)
        model = self.narrowed(net, net.tokens(hidden, 2, 1), net.tokens(hidden, 5, 2), changed=1)
        self.assertEqual(self.shapes(model, BuiltinOperator.CONV_2D), [[1, 1, 5, 8]])

    def test_a_mean_over_channels_passes_and_a_mean_over_tokens_stops(self) -> None:
        net = Network()
        across = net.sum(net.image, net.mean(net.image, 3))
        self.narrowed(net, net.tokens(across, 1, 1), changed=2)
        net = Network()
        self.narrowed(net, net.mean(net.convolution(net.image, 8), 2), changed=0)

    def test_a_slice_that_drops_its_axis_narrows_too(self) -> None:
        net = Network()
        hidden = net.convolution(net.image, 8)
        options = generated.StridedSliceOptionsT()
        options.beginMask = options.endMask = 0b1011
        options.shrinkAxisMask = 0b0100
        places = [net.numbers(0, 0, -2, 0), net.numbers(0, 0, 0, 0), net.numbers(1, 1, 1, 1)]
        token = net.put(BuiltinOperator.STRIDED_SLICE, [hidden, *places], [1, 1, 8], options)
        model = self.narrowed(net, token, changed=1)
        self.assertEqual(self.shapes(model, BuiltinOperator.CONV_2D), [[1, 1, 1, 8]])

    def test_a_plain_slice_narrows_too(self) -> None:
        net = Network()
        hidden = net.convolution(net.image, 8)
        places = [net.numbers(0, 0, 4, 2), net.numbers(1, 1, 3, 5)]
        model = self.narrowed(net, net.put(BuiltinOperator.SLICE, [hidden, *places], [1, 1, 3, 5]), changed=1)
        self.assertEqual(self.shapes(model, BuiltinOperator.CONV_2D), [[1, 1, 3, 5]])

    def test_slopes_and_other_constants_are_cut_as_well(self) -> None:
        net = Network()
        scaled = net.put(BuiltinOperator.PRELU, [net.image, net.floats(1, TOKENS, CHANNELS)], [1, 1, TOKENS, CHANNELS])
        model = self.narrowed(net, net.tokens(scaled, 7, 2), changed=1)
        self.assertEqual(self.shapes(model, BuiltinOperator.PRELU), [[1, 1, 2, CHANNELS]])

    def test_a_kernel_that_looks_at_neighbours_stops_it(self) -> None:
        net = Network()
        around = net.convolution(net.convolution(net.image, 8), 8, kernel=3)
        self.narrowed(net, net.tokens(around, 3, 1), changed=0)

    def test_tokens_whose_number_is_known_only_at_run_time_stay(self) -> None:
        net = Network()
        hidden = net.convolution(net.image, 8)
        net.graph.tensors[hidden].shapeSignature = [1, 1, -1, 8]
        self.narrowed(net, net.tokens(hidden, 3, 1), changed=0)

    def test_doing_it_again_changes_nothing(self) -> None:
        net = Network()
        model = self.narrowed(net, net.tokens(net.convolution(net.image, 8), 3, 1), changed=1)
        self.assertEqual(narrow.apply(model).changed, 0)


if __name__ == "__main__":
    unittest.main()
