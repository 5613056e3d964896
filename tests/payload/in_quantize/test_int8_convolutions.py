"""Which convolutions are given int8 arithmetic: those that are faster for it here, as many as errors leave room for."""

from __future__ import annotations

import unittest

import numpy as np
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import int8_convolutions
from envguard_payload.int8.drafting import Draft
from envguard_payload.int8.goals import GOALS
from envguard_payload.int8.int8_convolutions import Gain, within
from envguard_payload.int8.recipes import Treatment
from envguard_payload.measuring.accuracy import HELD_OUT, Inputs
from envguard_payload.measuring.bench import Bench

DYNAMIC, MERGED = Treatment.DYNAMIC, Treatment.MERGED


def network() -> bytes:
    """A pointwise convolution of few channels over a large map, then a wide one that sums 4,608 products per output."""
    random = np.random.default_rng(0)
    build = GraphBuilder()
    image, narrow = build.tensor("image", (1, 32, 32, 8)), build.tensor("narrow", (1, 32, 32, 128))
    small, output = build.tensor("small", (1, 8, 8, 128)), build.tensor("output", (1, 8, 8, 128))
    for source, target, shape, stride in (
        (image, narrow, (128, 1, 1, 8), 1),
        (narrow, small, (128, 4, 4, 128), 4),
        (small, output, (128, 3, 3, 128), 1),
    ):
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = 1
        kernel = build.constant(f"kernel {target}", random.normal(0, 0.05, shape).astype(np.float32))
        bias = build.constant(f"bias {target}", np.zeros(shape[0], np.float32))
        build.operator(BuiltinOperator.CONV_2D, [source, kernel, bias], [target], options)
    return bytes(models.save(build.finish([image], [output])))


class Gains(unittest.TestCase):
    found: tuple[Gain, ...]

    @classmethod
    def setUpClass(cls) -> None:
        data = network()
        batches = tuple([np.random.default_rng(seed).random((1, 32, 32, 8)).astype(np.float32)] for seed in range(4))
        bench = Bench(data, Inputs(HELD_OUT, batches, ((0.0, 1.0),)))
        draft = Draft.of(models.load(data, "net"), "net", GOALS["speed"], file_bytes=0, arrays={}, compressed_from=None)
        cls.found = int8_convolutions.gains(draft, bench)

    def test_one_with_few_channels_is_no_gain_and_one_with_many_is(self) -> None:
        numbers = {gain.layer for gain in self.found}
        self.assertNotIn(0, numbers)
        self.assertTrue(numbers & {1, 2})

    def test_what_saves_most_for_its_error_comes_first(self) -> None:
        worth = [gain.milliseconds / gain.error**2 for gain in self.found]
        self.assertEqual(worth, sorted(worth, reverse=True))
        self.assertTrue(all(gain.error > 0 for gain in self.found))


class Within(unittest.TestCase):
    GAINS = (Gain(4, MERGED, 3.0, 0.3), Gain(2, DYNAMIC, 2.0, 0.4), Gain(7, DYNAMIC, 1.0, 0.1))

    def test_squares_of_errors_add_up_to_no_more_than_the_budget(self) -> None:
        self.assertEqual(within(self.GAINS, 1.0), {4: MERGED, 2: DYNAMIC, 7: DYNAMIC})
        self.assertEqual(within(self.GAINS, 0.3**2 + 0.4**2), {4: MERGED, 2: DYNAMIC})

    def test_one_that_is_too_much_is_passed_over_for_smaller_ones(self) -> None:
        self.assertEqual(within(self.GAINS, 0.11), {4: MERGED, 7: DYNAMIC})

    def test_without_a_budget_there_is_none(self) -> None:
        self.assertEqual(within(self.GAINS, -0.1), {})


if __name__ == "__main__":
    unittest.main()
