"""Every column of an output is judged, after its own mean and spread, on whatever the model can be given."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from envguard_payload.contract import Gate
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, TensorType, generated
from envguard_payload.measuring import accuracy, benchmark, columns, domains, numerics, output_gates, ranking, synthetic
from envguard_payload.measuring.accuracy import HELD_OUT, SYNTHETIC, Inputs, Output
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.steps import compare
from payload_support.requests import Silent, request

LIMITS = {gate.option: gate.default for gate in output_gates.GATES if gate.option}
RANDOM = np.random.default_rng(7)
ROWS = 100


def output(before: np.ndarray, after: np.ndarray, noisy: np.ndarray | None = None, *, scores: bool = False) -> Output:
    """An output whose rows, of a batch of one each, are these."""
    moved = before if noisy is None else noisy
    stacks = [array[:, None].astype(np.float64) for array in (before, after, moved)]
    axes: tuple[int | None, ...] = columns.channel_axes(stacks[0]) or (None,)
    return Output(
        numerics.difference("it", list(stacks[0]), list(stacks[1])),
        numerics.difference("it", list(stacks[0]), list(stacks[2])),
        tuple(columns.measured(*stacks, axis, scores=scores) for axis in axes),
        ranking.ranked(*stacks, axes[0], scores=scores),
    )


def failed(found: Output, kind: str = HELD_OUT) -> Mapping[str, Gate]:
    gates = output_gates.judged("model", Inputs(kind, ([],) * ROWS, ()), [found], LIMITS)
    return {gate.name: gate for gate in gates if not gate.passed}


def yolo(positions: int = 64) -> np.ndarray:
    """Rows of boxes in pixels beside 80 scores near 0.02."""
    boxes = RANDOM.uniform(0, 640, (ROWS, positions, 4))
    return np.concatenate([boxes, RANDOM.uniform(0.01, 0.03, (ROWS, positions, 80))], -1)


class Columns(unittest.TestCase):
    def test_scores_that_die_beside_boxes_in_pixels_are_found_wherever_the_channels_lie(self) -> None:
        before = yolo()
        after = before.copy()
        after[..., 4:] = 0
        for exact, copied in ((before, after), (before.swapaxes(1, 2), after.swapaxes(1, 2))):
            found = output(exact, copied, scores=True)
            self.assertGreater(found.by_quantizing.cosine, 0.999)
            for kind in (HELD_OUT, SYNTHETIC):
                gate = failed(found, kind)["column-dead"]
                self.assertIn("Output 'it' of model, column 5 of 84:", gate.message)
                self.assertIn("(and 79 more columns)", gate.message)

    def test_one_dead_class_is_named(self) -> None:
        before = yolo()
        after = before.copy()
        after[..., 20] = 0.02
        self.assertIn("column 21 of 84", failed(output(before, after))["column-dead"].message)

    def test_rounding_that_keeps_every_column_passes(self) -> None:
        before = yolo()
        step = np.where(np.arange(84) < 4, 640 / 255, 0.03 / 255)
        self.assertEqual(failed(output(before, np.round(before / step) * step)), {})

    def test_a_regression_around_an_offset_that_collapses_is_found_at_59_db(self) -> None:
        before = 1000 + RANDOM.uniform(0, 3, (ROWS, 1))
        found = output(before, np.round(before / 1.5) * 1.5)
        self.assertGreater(found.by_quantizing.snr_db or 0, 55)
        self.assertEqual(failed(found)["answers-collapsed"].measured, 3)

    def test_a_column_that_has_nothing_to_do_with_the_original_fails_on_made_up_inputs_too(self) -> None:
        before = RANDOM.normal(size=(ROWS, 6))
        after = before.copy()
        after[:, 2] = RANDOM.permutation(after[:, 2])
        for kind in (HELD_OUT, SYNTHETIC):
            self.assertIn("column 3 of 6", failed(output(before, after), kind)["column-inaccurate"].message)

    def test_a_column_that_is_shifted_by_its_spread_fails_on_real_inputs(self) -> None:
        before = 50 + RANDOM.normal(size=(ROWS, 1))
        self.assertIn("column-inaccurate", failed(output(before, before + 1)))

    def test_what_noise_moves_as_much_is_not_held_against_the_copy(self) -> None:
        before = RANDOM.normal(size=(ROWS, 3))
        after, noisy = (before + RANDOM.normal(size=before.shape) * factor for factor in (1.0, 1.5))
        self.assertNotIn("column-inaccurate", failed(output(before, after, noisy)))

    def test_an_output_that_noise_hides_could_not_be_judged_and_says_so(self) -> None:
        before = RANDOM.normal(size=(ROWS, 3))
        after, noisy = (before + RANDOM.normal(size=before.shape) * factor for factor in (3.0, 2.0))
        gate = failed(output(before, after, noisy), SYNTHETIC)["column-inaccurate"]
        self.assertFalse(gate.judged)

    def test_a_column_that_never_varies_must_stay_what_it_is(self) -> None:
        before = RANDOM.normal(size=(ROWS, 2))
        before[:, 1] = 4
        after = before.copy()
        self.assertEqual(failed(output(before, after)), {})
        after[:, 1] = 3
        self.assertEqual(set(failed(output(before, after))), {"constant-changed"})

    def test_probabilities_that_rank_others_first_are_found(self) -> None:
        logits = RANDOM.normal(size=(ROWS, 10)) * 4
        before = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        after = before.copy()
        after[:5] = after[:5, ::-1]
        self.assertEqual(failed(output(before, after))["ranking-changed"].detail, "5 of 100")

    def test_coordinates_have_no_ranking(self) -> None:
        before = np.arange(60) * 3 + RANDOM.normal(size=(ROWS, 60))
        self.assertIsNone(output(before, before).ranking)


class Noise(unittest.TestCase):
    def test_it_is_in_the_units_of_each_column(self) -> None:
        rows = RANDOM.uniform(0, 1, (200, 1, 2)) * np.array([50_000, 1])
        low, high = accuracy._observed([row.astype(np.float32) for row in rows])
        noise = np.concatenate(
            [synthetic.with_noise([row], [(low, high)], each)[0] - row for each, row in enumerate(rows)]
        )
        np.testing.assert_allclose(noise.std(0), [50_000 / 255, 1 / 255], rtol=0.2)


class StepTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for budget in ("ALL_SECONDS", "FIRST_SECONDS", "SUSPECTED_SECONDS"):
            self.addCleanup(setattr, benchmark, budget, getattr(benchmark, budget))
            setattr(benchmark, budget, 0.05)

    def compared(self, original: Any, copy: Any) -> Any:
        paths = {"original": self.folder / "network.tflite", "quantized": self.folder / "copy.tflite"}
        for path, model in zip(paths.values(), (original, copy)):  # noqa: B905 - Python 3.9
            path.write_bytes(models.save(model))
        return compare.run(request("compare", self.folder, paths, {"profile": False}), Silent())


def table(rows: int, change: Callable[[np.ndarray], np.ndarray] = lambda array: array, ids: int = 4) -> Any:
    """Ids look up rows of a table."""
    build = GraphBuilder()
    source = build.tensor("ids", (1, ids), TensorType.INT32)
    values = change(np.random.default_rng(3).normal(size=(rows, 8)).astype(np.float32))
    target = build.tensor("output", (1, ids, 8))
    build.operator(
        BuiltinOperator.GATHER, [build.constant("table", values), source], [target], generated.GatherOptionsT()
    )
    return build.finish([source], [target])


class Ids(StepTest):
    def test_ids_are_made_up_over_the_whole_table(self) -> None:
        model = table(500)
        self.assertEqual([domain.count for domain in domains.domains(model)], [500])
        inputs = accuracy.choose_inputs("it", model, Runner(models.save(model)), {}, many=100)
        drawn = np.concatenate([batch[0].ravel() for batch in inputs.batches])
        self.assertGreater(drawn.max(), 400)
        self.assertLess(drawn.max(), 500)

    def test_a_damaged_column_of_a_table_is_found(self) -> None:
        def damage(array: np.ndarray) -> np.ndarray:
            array[:, 5] = 0
            return array

        gates = {gate.name: gate for gate in self.compared(table(500), table(500, damage)).gates if not gate.passed}
        self.assertIn("column 6 of 8", gates["column-dead"].message)

    def test_a_sound_copy_is_compared(self) -> None:
        found = self.compared(table(500), table(500))
        self.assertEqual([gate for gate in found.gates if not gate.passed and gate.name != "slower-than-limit"], [])
        self.assertIn(("compared", "network"), [(gate.name, gate.subject) for gate in found.gates])


class NotCompared(StepTest):
    def model(self, code: int, custom: bytes = b"") -> Any:
        build = GraphBuilder()
        source = build.constant("shape", np.array([1, 4], np.int32))
        given, target = build.tensor("given", (1, 4)), build.tensor("output", (1, 4))
        build.operator(code, [source if not custom else given], [target])
        build.model.operatorCodes[0].customCode = custom or None
        return build.finish([given], [target])

    def test_a_model_that_nothing_here_runs_is_not_called_good(self) -> None:
        model = self.model(BuiltinOperator.CUSTOM, b"Strange")
        (gate,) = self.compared(model, model).gates
        self.assertEqual((gate.name, gate.passed, gate.judged, gate.subject), ("compared", False, False, "network"))
        self.assertIn("custom operator Strange", gate.message)

    def test_chance_is_recognised_and_named(self) -> None:
        model = self.model(BuiltinOperator.RANDOM_UNIFORM)
        (gate,) = self.compared(model, model).gates
        self.assertEqual((gate.name, gate.judged), ("compared", False))
        self.assertIn("RANDOM_UNIFORM", gate.message)


if __name__ == "__main__":
    unittest.main()
