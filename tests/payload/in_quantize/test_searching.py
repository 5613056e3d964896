"""Recipes are tried for real, measured on inputs held out for it, and the best within the limit is taken."""

from __future__ import annotations

import dataclasses
import math
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from envguard_payload.contract import ModelRecipe, RecipeDocument
from envguard_payload.files import recipe_files
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import quantizing, recipes
from envguard_payload.int8.goals import BALANCED, Goal
from envguard_payload.int8.recipes import Recipe, Treatment
from envguard_payload.measuring import bench
from envguard_payload.measuring.accuracy import HELD_OUT, Inputs
from envguard_payload.measuring.interpreting import CannotRun, Runner
from envguard_payload.protocol import Refused, read_options
from envguard_payload.steps.quantize import QuantizeOptions
from payload_support.requests import request

CHANNELS = 32
SIZE = dataclasses.replace(BALANCED, time_power=0.0)
"""What is tested here must not depend on times, so they need not be known well either."""

bench.SECONDS = 0.02


def network(layers: int = 4) -> bytes:
    """Convolutions in a row, with a RELU each."""
    random = np.random.default_rng(0)
    build = GraphBuilder()
    tensors = [build.tensor(f"t{number}", (1, 8, 8, CHANNELS)) for number in range(layers + 1)]
    for source, target in zip(tensors, tensors[1:]):  # noqa: B905, RUF007 - Python 3.9
        kernel = random.normal(0, 0.06, (CHANNELS, 3, 3, CHANNELS)).astype(np.float32)
        bias = random.normal(0, 0.1, CHANNELS).astype(np.float32)
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = generated.ActivationFunctionType.RELU
        operands = [build.constant(f"kernel {target}", kernel), build.constant(f"bias {target}", bias)]
        build.operator(BuiltinOperator.CONV_2D, [source, *operands], [target], options)
    return bytes(models.save(build.finish(tensors[:1], tensors[-1:])))


def real_inputs(count: int, seed: int) -> np.ndarray:
    few = np.random.default_rng(seed).random((count, 8, 8, 4))
    mixed: np.ndarray = few @ np.random.default_rng(5).normal(0.3, 1, (4, CHANNELS))
    return mixed.astype(np.float32)


def order(data: bytes, goal: Goal = SIZE, **more: Any) -> quantizing.Order:
    return quantizing.Order(
        len(data), {"net": real_inputs(24, seed=1)}, {"net": real_inputs(8, seed=2)}, goal=goal, **more
    )


def with_limit(most_error: float) -> Goal:
    return dataclasses.replace(SIZE, most_error=most_error)


class Searching(unittest.TestCase):
    def test_within_the_limit_everything_becomes_int8_and_float16_is_what_lost(self) -> None:
        data = network()
        outcome = quantizing.quantize(data, "net", order(data, with_limit(50.0)))
        assert outcome.choice is not None
        self.assertEqual(len(outcome.choice.operators), 4)
        outcomes = {each.name: each.outcome for each in outcome.candidates}
        self.assertEqual(outcomes["int8 weights"], "taken")
        self.assertRegex(outcomes["float16"], r"its size is [12]\.\d\d of what was taken")

    def test_layers_nearer_to_the_outputs_go_back_to_float_until_the_error_is_small_enough(self) -> None:
        data = network()
        every = {each.name: each for each in quantizing.quantize(data, "net", order(data, with_limit(0.0))).candidates}
        self.assertEqual(every["float16"].outcome, "taken")
        errors = [every[name].error for name in every if name != "float16"]
        self.assertEqual(errors, sorted(errors, reverse=True))
        limit = (errors[-1] + errors[-2]) / 2
        outcome = quantizing.quantize(data, "net", order(data, with_limit(limit)))
        self.assertEqual([each.outcome for each in outcome.candidates][-1], "taken")
        self.assertIn("over the limit", outcome.candidates[1].outcome)

    def test_where_no_int8_is_good_enough_the_model_stays_float_and_says_so(self) -> None:
        data = network()
        outcome = quantizing.quantize(data, "net", order(data, with_limit(0.0)))
        self.assertIsNone(outcome.choice)
        self.assertIn("float16 is best", outcome.left_alone)

    def test_one_that_finds_what_others_look_at_has_a_smaller_limit(self) -> None:
        data = network()
        free = quantizing.quantize(data, "net", order(data))
        error = next(each.error for each in free.candidates if each.name == "int8 weights")
        goal = with_limit(2 * error)
        taken = [
            next(each.name for each in outcome.candidates if each.outcome == "taken")
            for outcome in (
                quantizing.quantize(data, "net", order(data, goal)),
                quantizing.quantize(data, "net", order(data, goal, finders=frozenset({"net"}))),
            )
        ]
        self.assertEqual(taken[0], "int8 weights")
        self.assertNotEqual(taken[1], "int8 weights")

    def test_a_recipe_whose_model_does_not_run_is_not_taken(self) -> None:
        data = network()
        with mock.patch.object(bench.Bench, "error", side_effect=CannotRun("no kernel")):
            outcome = quantizing.quantize(data, "net", order(data, with_limit(50.0)))
        self.assertEqual(outcome.candidates[0].outcome, "taken")
        self.assertTrue(all(each.error is None for each in outcome.candidates))

    def test_without_inputs_held_out_nothing_is_tried(self) -> None:
        data = network()
        outcome = quantizing.quantize(data, "net", quantizing.Order(len(data), {"net": real_inputs(8, seed=1)}))
        self.assertEqual(outcome.candidates, ())
        self.assertIsNotNone(outcome.choice)


class Bench(unittest.TestCase):
    def setUp(self) -> None:
        self.data = network(layers=1)
        inputs = real_inputs(6, seed=2)
        limits = (float(inputs.min()), float(inputs.max()))
        self.bench = bench.Bench(self.data, Inputs(HELD_OUT, tuple([each[None]] for each in inputs), (limits,)))

    def test_the_original_has_no_error(self) -> None:
        self.assertEqual(self.bench.error(Runner(self.data)), 0.0)

    def test_an_error_as_large_as_that_of_noise_is_one(self) -> None:
        model = models.load(self.data, "it")
        noise = np.sqrt(np.array(self.bench.floors[0]))
        bias = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[2]]
        values = np.frombuffer(bytes(model.buffers[bias.buffer].data), np.float32)
        # A RELU cuts a part of the shift off, so less than all of it reaches the output.
        model.buffers[bias.buffer].data = np.frombuffer((values + np.float32(noise)).tobytes(), np.uint8)
        error = self.bench.error(Runner(models.save(model)))
        self.assertGreater(error, 0.3)
        self.assertLessEqual(error, 1.01)

    def test_what_is_no_number_is_an_infinite_error(self) -> None:
        model = models.load(self.data, "it")
        bias = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[2]]
        model.buffers[bias.buffer].data = np.frombuffer(np.full(CHANNELS, np.inf, np.float32).tobytes(), np.uint8)
        self.assertEqual(self.bench.error(Runner(models.save(model))), math.inf)


class RecipeFiles(unittest.TestCase):
    def setUp(self) -> None:
        self.data = network()
        self.first = quantizing.quantize(self.data, "net", order(self.data))
        self.document = recipe_files.document("balanced", "cpu", {"net": self.first.applied})

    def again(self, document: RecipeDocument, name: str = "net") -> quantizing.Quantized:
        found = recipe_files.recipes_for([name], document)
        arrays = {name: real_inputs(24, seed=1)}
        return quantizing.quantize(self.data, name, quantizing.Order(len(self.data), arrays, recipes=found))

    def test_a_recipe_gives_the_same_bytes_without_a_search(self) -> None:
        repeated = self.again(self.document)
        self.assertEqual(repeated.data, self.first.data)
        self.assertEqual(repeated.candidates, ())

    def test_a_lone_model_may_have_another_name_by_now(self) -> None:
        self.assertIsNotNone(self.again(self.document, name="renamed").choice)

    def test_it_says_what_becomes_of_each_layer(self) -> None:
        recipe = Recipe((Treatment.FLOAT, Treatment.FLOAT, Treatment.DYNAMIC), compress=True)
        written = ModelRecipe(((2, "float16"), (1, "int8 dynamic")), low_rank=True)
        self.assertEqual(recipe.written(), written)
        self.assertEqual(Recipe.read(written, "net"), recipe)

    def test_what_is_no_recipe_or_one_for_another_model_is_refused(self) -> None:
        layers = [[4, "int8"]]
        for document in (
            {},
            {"schema": 2, "models": {}},
            {"schema": 1, "models": {"net": {"layers": [[4, "int4"]], "low_rank": False}}},
            {"schema": 1, "models": {"net": {"layers": [[-4, "int8"]], "low_rank": False}}},
            {"schema": 1, "models": {"net": {"layers": [[1 << 40, "int8"]], "low_rank": False}}},
            {"schema": 1, "models": {"net": {"layers": layers}}},
            {"schema": 1, "models": {"net": {"layers": [[5, "int8"]], "low_rank": False}}},
            {"schema": 1, "models": {"other": {"layers": layers, "low_rank": False}, "more": {"layers": layers}}},
        ):
            with self.subTest(document=document), self.assertRaises(Refused):
                options = {"recipe": {"goal": "balanced", **document}}
                read = read_options(QuantizeOptions, request("steps.quantize", Path(), {}, options)).recipe
                self.again(read)

    def test_layers_are_counted_as_the_model_has_them(self) -> None:
        model = models.load(self.data, "net")
        self.assertEqual(len(recipes.layers(model, 0)), 4)


if __name__ == "__main__":
    unittest.main()
