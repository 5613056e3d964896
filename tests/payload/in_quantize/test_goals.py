"""What the goals change, and compressing a large last layer into two small ones."""

from __future__ import annotations

import copy
import unittest
from typing import Any

import numpy as np
from envguard_payload.files.calibration import Samples
from envguard_payload.graph import facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import low_rank, quantizing, recipes
from envguard_payload.int8.goals import BALANCED, GOALS, goal_of
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.protocol import Refused

INNER = 40
"""Of 4 x 4 x 16 inputs' directions, how many ever come."""


def last_layer() -> Any:
    """A convolution whose kernel covers its whole input, as in MediaPipe's landmark models."""
    random = np.random.default_rng(0)
    build = GraphBuilder()
    image, output = build.tensor("image", (1, 4, 4, 16)), build.tensor("output", (1, 1, 1, 300))
    kernel = build.constant("kernel", random.normal(0, 0.1, (300, 4, 4, 16)).astype(np.float32))
    bias = build.constant("bias", random.normal(0, 1, 300).astype(np.float32))
    options = generated.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding = generated.Padding.VALID
    build.operator(BuiltinOperator.CONV_2D, [image, kernel, bias], [output], options)
    return build.finish([image], [output])


def inputs(count: int, seed: int) -> Samples:
    """Samples from a subspace, away from zero."""
    basis = np.random.default_rng(7).normal(0, 1, (INNER, 256))
    few = np.random.default_rng(seed).normal(0, 1, (count, INNER))
    return Samples((3.0 + few @ basis).reshape(count, 4, 4, 16).astype(np.float32), (0.0, 1.0))


def answers(model: Any, samples: Samples) -> np.ndarray:
    runner = Runner(models.save(model))
    return np.stack([runner.answer(sample)[0] for sample in samples])


class LowRank(unittest.TestCase):
    def test_a_large_last_layer_becomes_two_small_ones_that_answer_real_inputs_alike(self) -> None:
        model = last_layer()
        exact = answers(model, inputs(50, seed=2))
        report = low_rank.apply(model, inputs(400, seed=1), model_bytes=2 * 300 * 256)
        self.assertEqual((report.changed, report.lossless), (1, False))
        self.assertIn("compressed, not quantized", report.what)
        self.assertEqual(facts.operator_counts(model), {"CONV_2D": 2})
        self.assertLess(facts.weight_bytes(model)["FLOAT32"], 0.75 * 4 * 300 * 257 + 4 * 300 * 256)
        error = np.abs(answers(model, inputs(50, seed=2)) - exact).mean()
        self.assertLess(error, 0.1 * np.abs(exact - exact.mean(axis=0)).mean())

    def test_what_flows_between_the_two_is_mixed_where_it_is_rounded(self) -> None:
        shares, kept = [], []
        for rounded in (False, True):
            model = last_layer()
            low_rank.apply(model, inputs(400, seed=1), model_bytes=2 * 300 * 256, rounded=rounded)
            kept.append(answers(model, inputs(50, seed=2)))
            between = copy.deepcopy(model)
            between.subgraphs[0].outputs = between.subgraphs[0].operators[0].outputs
            between.subgraphs[0].operators = between.subgraphs[0].operators[:1]
            rows = answers(between, inputs(50, seed=2)).reshape(50, -1)
            shares.append(float(rows.std(axis=0).max() / np.sqrt((rows.std(axis=0) ** 2).mean())))
        np.testing.assert_allclose(kept[1], kept[0], rtol=0, atol=1e-3)
        self.assertLess(shares[1] - 1, 0.7 * (shares[0] - 1))

    def test_a_layer_that_is_a_small_part_of_its_model_stays(self) -> None:
        model = last_layer()
        before = copy.deepcopy(model)
        self.assertEqual(low_rank.apply(model, inputs(4, seed=1), model_bytes=100 * 300 * 256).changed, 0)
        np.testing.assert_array_equal(answers(model, inputs(2, seed=3)), answers(before, inputs(2, seed=3)))

    def test_it_is_done_only_when_asked_for(self) -> None:
        data = models.save(last_layer())
        stacked = {"it": np.concatenate([sample[0] for sample in inputs(100, seed=1)])}
        for asked in (False, True):
            outcome = quantizing.quantize(data, "it", quantizing.Order(len(data), stacked, compress=asked))
            self.assertEqual("low_rank" in [report.name for report in outcome.passes], asked)


class Goals(unittest.TestCase):
    def test_for_accuracy_the_last_layer_stays_float(self) -> None:
        model = last_layer()
        chosen = {name: len(recipes.choose(model, 0, goal).operators) for name, goal in GOALS.items()}
        self.assertEqual(chosen, {"accuracy": 0, "balanced": 1, "size": 1, "speed": 1})

    def test_an_unknown_goal_is_refused(self) -> None:
        self.assertEqual(BALANCED.name, "balanced")
        with self.assertRaisesRegex(Refused, "no goal 'beauty'"):
            goal_of("beauty")


if __name__ == "__main__":
    unittest.main()
