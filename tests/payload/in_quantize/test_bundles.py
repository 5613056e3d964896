"""Bundles through the steps: every model gets its own weights back, wherever it lies and whatever it is called."""

from __future__ import annotations

import io
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from envguard_payload.contract import StepFindings
from envguard_payload.files import bundle
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.steps import compare, inspect, quantize
from payload_support.requests import Silent, request

WIDTH = 128


def dense(factor: float) -> bytes:
    """A model that multiplies its input by one and the same matrix and by `factor`."""
    weights = np.random.default_rng(7).normal(0.0, factor, (WIDTH, WIDTH)).astype(np.float32)
    graph = GraphBuilder()
    taken, given = graph.tensor("taken", (1, WIDTH)), graph.tensor("given", (1, WIDTH))
    options = generated.FullyConnectedOptionsT()
    code = BuiltinOperator.FULLY_CONNECTED
    graph.operator(code, [taken, graph.constant("weights", weights), -1], [given], options)
    return bytes(models.save(graph.finish([taken], [given])))


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


def answer(data: bytes) -> np.ndarray:
    taken = np.random.default_rng(11).normal(0.0, 1.0, (1, WIDTH)).astype(np.float32)
    (given,) = Runner(data).answer([taken])
    return np.asarray(given)


class Bundles(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_step(self, step: Any, inputs: dict[str, Path], **options: Any) -> StepFindings:
        result: StepFindings = step.run(request(step.__name__, self.folder, inputs, options), Silent())
        return result

    def write(self, members: dict[str, bytes]) -> Path:
        path = self.folder / "input.task"
        path.write_bytes(zipped(members))
        return path

    def assert_each_has_its_own(self, original: Path, quantized: Path) -> None:
        before, after = bundle.read(original).models(), bundle.read(quantized).models()
        self.assertEqual([model.path for model in before], [model.path for model in after])
        for one, other in zip(before, after):  # noqa: B905 - Python 3.9
            self.assertLess(len(other.data), 0.6 * len(one.data), one.path)
            exact, moved = answer(one.data), answer(other.data)
            self.assertLess(float(np.abs(moved - exact).max()), 0.05 * float(np.abs(exact).max()), one.path)

    def test_two_that_share_a_name_without_suffix_keep_their_own_weights(self) -> None:
        path = self.write({"m": dense(1.0), "m.tflite": dense(0.25)})
        result = self.run_step(quantize, {"model": path})
        self.assertEqual(result.failures, ())
        self.assertEqual([model.name for model in result.values.models], ["m", "m.tflite"])
        self.assertEqual(set(result.values.recipe.models), {"m", "m.tflite"})
        quantized = self.folder / "quantized.task"
        self.assert_each_has_its_own(path, quantized)
        compared = self.run_step(compare, {"original": path, "quantized": quantized}, profile=False)
        self.assertEqual([model.name for model in compared.values.models], ["m", "m.tflite"])
        self.assertEqual(compared.failures, ())

    def test_the_one_that_is_left_is_compared_with_its_own_original(self) -> None:
        path = self.write({"m": dense(1.0), "m.tflite": dense(0.25)})
        result = self.run_step(quantize, {"model": path}, drop=["m"])
        self.assertEqual((result.failures, result.values.dropped), ((), ("m",)))
        quantized = self.folder / "quantized.task"
        (left,) = bundle.read(quantized).models()
        self.assertLess(float(np.abs(answer(left.data) - answer(dense(0.25))).max()), 0.3)
        compared = self.run_step(compare, {"original": path, "quantized": quantized}, profile=False)
        self.assertEqual([model.name for model in compared.values.models], ["m.tflite"])
        self.assertEqual(compared.failures, ())

    def test_models_three_bundles_deep_are_found_and_quantized_in_place(self) -> None:
        inner = zipped({"m.tflite": dense(0.5), "labels.txt": b"left right"})
        path = self.write({"a.task": zipped({"b.task": inner, "m.tflite": dense(2.0)}), "m.tflite": dense(1.0)})
        names = ["a/b/m", "a/m", "m"]
        self.assertEqual([model.name for model in self.run_step(inspect, {"model": path}).values.models], names)
        result = self.run_step(quantize, {"model": path})
        self.assertEqual(result.failures, ())
        self.assertEqual([model.name for model in result.values.models], names)
        self.assert_each_has_its_own(path, self.folder / "quantized.task")


if __name__ == "__main__":
    unittest.main()
