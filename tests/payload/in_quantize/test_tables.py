"""Tables that are looked up, and constants of operators that the quantizer does not know, stored as int8."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from typing import Any

import numpy as np
from envguard_payload.graph import facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, SubGraphT, TensorType, generated
from envguard_payload.int8 import goals, quantizing
from envguard_payload.measuring.interpreting import Runner

random = np.random.default_rng(0)
IDS, WIDTH, LOOKED_UP = 600, 32, 8


def table() -> np.ndarray:
    return random.normal(0, 0.3, (IDS, WIDTH)).astype(np.float32)


def looked_up(values: np.ndarray, *, tied: bool = False, code: int = BuiltinOperator.GATHER) -> Any:
    """ids -> rows of the table, and with `tied` also their products with the whole table."""
    build = GraphBuilder()
    ids, rows = build.tensor("ids", (LOOKED_UP,), TensorType.INT32), build.tensor("rows", (LOOKED_UP, WIDTH))
    index = build.constant("table", values)
    inputs = [index, ids] if code == BuiltinOperator.GATHER else [ids, index]
    options = generated.GatherOptionsT() if code == BuiltinOperator.GATHER else None
    build.operator(code, inputs, [rows], options)
    outputs = [rows]
    if tied:
        outputs.append(build.tensor("likeness", (LOOKED_UP, len(values))))
        product = generated.FullyConnectedOptionsT()
        build.operator(BuiltinOperator.FULLY_CONNECTED, [rows, index, -1], outputs[1:], product)
    return build.finish([ids], outputs)


def quantized(model: Any, goal: str = "balanced") -> tuple[quantizing.Quantized, float]:
    """The outcome, and its share of the original's bytes."""
    data = models.save(model)
    outcome = quantizing.quantize(data, "it", quantizing.Order(len(data), goal=goals.goal_of(goal)))
    return outcome, len(outcome.data) / len(data)


def answers(data: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(each) for each in Runner(data).answer(inputs)]


class Tables(unittest.TestCase):
    ids = np.array([0, 1, 7, 100, 333, 598, 599, 7], np.int32)

    def assert_rows(self, outcome: quantizing.Quantized, expected: np.ndarray, tolerance: float) -> None:
        found = answers(outcome.data, [self.ids])[0]
        np.testing.assert_allclose(found, expected[self.ids], rtol=0, atol=tolerance)

    def test_a_table_becomes_int8_rows_of_one_scale(self) -> None:
        values = table()
        outcome, share = quantized(looked_up(values))
        self.assertLess(share, 0.35)
        self.assert_rows(outcome, values, float(np.abs(values).max()) / 127 / 2 * 1.01)
        self.assertEqual(facts.operator_counts(models.load(outcome.data, "it")), {"DEQUANTIZE": 1, "GATHER": 1})

    def test_embedding_lookup_is_a_table_too(self) -> None:
        values = table()
        outcome, share = quantized(looked_up(values, code=BuiltinOperator.EMBEDDING_LOOKUP))
        self.assertLess(share, 0.35)
        self.assert_rows(outcome, values, 0.01)

    def test_rows_of_different_sizes_have_scales_of_their_own(self) -> None:
        values = table() * np.where(np.arange(IDS) % 7 == 0, 1.0, 0.01).astype(np.float32)[:, None]
        outcome, share = quantized(looked_up(values))
        self.assertLess(share, 0.35)
        found = answers(outcome.data, [self.ids])[0]
        for row, expected in zip(found, values[self.ids]):  # noqa: B905 - Python 3.9
            self.assertLess(np.abs(row - expected).max(), np.abs(expected).max() / 200)

    def test_columns_of_different_sizes_have_scales_of_their_own(self) -> None:
        values = table() * np.where(np.arange(WIDTH) == 3, 5e4, 1.0).astype(np.float32)
        outcome, share = quantized(looked_up(values))
        self.assertLess(share, 0.35)
        found, expected = answers(outcome.data, [self.ids])[0], values[self.ids]
        self.assertLess((np.abs(found - expected).max(axis=0) / values.std(axis=0)).max(), 0.02)

    def test_a_table_that_no_scale_suits_stays_float_and_is_named(self) -> None:
        outcome, _ = quantized(looked_up(table() * 0.001 + 1))
        self.assertIsNone(outcome.choice)
        self.assertIn("GATHER holds 76,800 of ", outcome.left_alone)
        self.assertIn("by more than 5%", outcome.left_alone)

    def test_a_table_that_is_also_multiplied_with_is_stored_once_and_right_in_both_uses(self) -> None:
        for values in (table(), table() * random.uniform(0.001, 1, (IDS, 1)).astype(np.float32)):
            outcome, share = quantized(looked_up(values, tied=True))
            # A small table of little width: scales per row weigh more here than in real ones.
            self.assertLess(share, 0.6 if values.std() < 0.2 else 0.35)
            rows, likeness = answers(outcome.data, [self.ids])
            expected = values[self.ids]
            self.assertLess(np.abs(rows - expected).max(), 0.01)
            np.testing.assert_allclose(likeness, expected @ values.T, rtol=0, atol=0.03)
            counts = facts.weight_bytes(models.load(outcome.data, "it"))
            self.assertEqual(counts["INT8"], values.size)

    def test_the_goal_of_accuracy_leaves_an_output_float_and_says_so(self) -> None:
        outcome, _ = quantized(looked_up(table()), "accuracy")
        self.assertIsNone(outcome.choice)
        self.assertIn("this goal leaves float", outcome.left_alone)


class OtherConstants(unittest.TestCase):
    def test_kernels_of_three_dimensions_become_int8_per_channel(self) -> None:
        build = GraphBuilder()
        x, y = build.tensor("x", (1, 4, 6, 6, 8)), build.tensor("y", (1, 2, 4, 4, 32))
        kernel = random.normal(0, 0.1, (3, 3, 3, 8, 32)) * np.where(np.arange(32) == 5, 100, 1)
        options = generated.Conv3DOptionsT()
        options.strideD = options.strideH = options.strideW = 1
        options.dilationDFactor = options.dilationHFactor = options.dilationWFactor = 1
        options.padding = generated.Padding.VALID
        weights = build.constant("kernel", kernel.astype(np.float32))
        build.operator(BuiltinOperator.CONV_3D, [x, weights], [y], options)
        model = build.finish([x], [y])
        outcome, share = quantized(model)
        self.assertLess(share, 0.35)
        inputs = [random.normal(0, 1, (1, 4, 6, 6, 8)).astype(np.float32)]
        before, after = answers(models.save(model), inputs)[0], answers(outcome.data, inputs)[0]
        self.assertLess((np.abs(before - after).max(axis=(0, 1, 2, 3)) / before.std(axis=(0, 1, 2, 3))).max(), 0.05)

    def test_constants_handed_to_branches_become_int8(self) -> None:
        build = GraphBuilder()
        condition = build.tensor("condition", (), TensorType.BOOL)
        x, y = build.tensor("x", (1, 64)), build.tensor("y", (1, 64))
        values = [random.normal(0, 0.1, (64, 64)).astype(np.float32) for _ in range(2)]
        constants = [build.constant(f"w{number}", each) for number, each in enumerate(values)]
        options = generated.IfOptionsT()
        options.thenSubgraphIndex, options.elseSubgraphIndex = 1, 2
        build.operator(BuiltinOperator.IF, [condition, x, *constants], [y], options)
        model = build.finish([condition, x], [y])
        model.subgraphs += [branch(build, 1), branch(build, 2)]
        outcome, share = quantized(model)
        self.assertLess(share, 0.4)
        for number, chosen in enumerate((True, False)):
            row = random.normal(0, 1, (1, 64)).astype(np.float32)
            found = answers(outcome.data, [np.array(chosen), row])[0]
            np.testing.assert_allclose(found, row @ values[number], rtol=0, atol=0.02)

    def test_an_operator_that_takes_no_int8_is_named_with_its_bytes(self) -> None:
        build = GraphBuilder()
        x, y = build.tensor("x", (64, 64)), build.tensor("y", (64, 64))
        build.operator(
            BuiltinOperator.SQUARED_DIFFERENCE,
            [x, build.constant("c", random.normal(0, 1, (64, 64)).astype(np.float32))],
            [y],
        )
        outcome, _ = quantized(build.finish([x], [y]))
        self.assertIn("SQUARED_DIFFERENCE holds 16,384 of ", outcome.left_alone)
        self.assertIn("cannot be stored as int8", outcome.left_alone)


def branch(build: Any, place: int) -> Any:
    """A subgraph that multiplies its first input with one of the others."""
    main, graph = build.graph, SubGraphT()
    graph.tensors, graph.operators = [], []
    build.graph = graph
    row, *matrices = (build.tensor(name, shape) for name, shape in (("x", (1, 64)), ("a", (64, 64)), ("b", (64, 64))))
    output = build.tensor("y", (1, 64))
    build.operator(BuiltinOperator.BATCH_MATMUL, [row, matrices[place - 1]], [output], generated.BatchMatMulOptionsT())
    graph.inputs, graph.outputs = [row, *matrices], [output]
    build.graph = main
    return graph


if __name__ == "__main__":
    unittest.main()
