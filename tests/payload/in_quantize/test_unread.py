"""What MediaPipe's graphs do not read of a bundle's outputs fails no gate; what they read is judged as ever.

ENVGUARD_TEST_BUNDLE is the path of face_landmarker.task.
"""

from __future__ import annotations

import io
import os
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np
from envguard_payload.files import bundle
from envguard_payload.graph import facts
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.measuring import accuracy, output_gates
from envguard_payload.measuring.accuracy import HELD_OUT, Inputs
from envguard_payload.measuring.interpreting import Runner
from envguard_payload.roads.unread import unread_of

BUNDLE = os.environ.get("ENVGUARD_TEST_BUNDLE", "")
LIMITS = {gate.option: gate.default for gate in output_gates.GATES if gate.option}
COLUMNS, WRONG = 8, 5


def product(damaged: bool) -> bytes:
    """A matrix product whose last columns, if it is damaged, have nothing to do with what they were."""
    weights = np.random.default_rng(3).normal(0, 1, (COLUMNS, 16)).astype(np.float32)
    if damaged:
        weights[WRONG:] = np.random.default_rng(4).normal(0, 1, weights[WRONG:].shape)
    build = GraphBuilder()
    source, target = build.tensor("in", (1, 16)), build.tensor("out", (1, COLUMNS))
    options = generated.FullyConnectedOptionsT()
    bias = build.constant("bias", np.zeros(COLUMNS, np.float32))
    build.operator(
        BuiltinOperator.FULLY_CONNECTED, [source, build.constant("weights", weights), bias], [target], options
    )
    return bytes(models.save(build.finish([source], [target])))


def failures(unread: dict[int, int]) -> set[str]:
    """Names of the gates that the damaged product fails, with that unread of its outputs."""
    random = np.random.default_rng(5)
    batches = tuple([random.normal(0, 1, (1, 16)).astype(np.float32)] for _ in range(40))
    inputs = Inputs(HELD_OUT, batches, ((-1.0, 1.0),))
    known = accuracy.reference(Runner(product(damaged=False)), inputs, unread=unread)
    found = accuracy.outputs(known, Runner(product(damaged=True)))
    return {gate.name for gate in output_gates.judged("it", inputs, found, LIMITS) if not gate.passed}


class Judged(unittest.TestCase):
    def test_damage_where_nobody_reads_fails_no_gate(self) -> None:
        self.assertIn("column-inaccurate", failures({}))
        self.assertEqual(failures({0: WRONG}), set())
        self.assertEqual(failures({0: 0}), set())

    def test_damage_in_what_is_read_fails_beside_columns_that_are_not(self) -> None:
        self.assertIn("column-inaccurate", failures({0: WRONG + 1}))
        self.assertIn("column-inaccurate", failures({1: 0}))


@unittest.skipUnless(BUNDLE, "ENVGUARD_TEST_BUNDLE is not set")
class Told(unittest.TestCase):
    def test_of_the_real_bundle_it_is_the_last_output_of_the_landmark_model(self) -> None:
        source = bundle.read(Path(BUNDLE))
        self.assertEqual(list(unread_of(source)), ["face_landmarks_detector"])
        (unread,) = unread_of(source).values()
        file = next(each for each in source.models() if each.name == "face_landmarks_detector")
        sizes = [port.shape[-1] for port in facts.outputs(models.load(file.data, file.name))]
        self.assertEqual(sizes, [3 * 478, 1, 1])
        self.assertEqual(unread, {2: 0})

    def test_a_bare_model_and_one_without_its_detector_are_judged_whole(self) -> None:
        source = bundle.read(Path(BUNDLE))
        file = next(each for each in source.models() if each.name == "face_landmarks_detector")
        alone = io.BytesIO()
        with zipfile.ZipFile(alone, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("face_landmarks_detector.tflite", file.data)
        for suffix, data in ((".tflite", file.data), (".task", alone.getvalue())):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"face_landmarks_detector{suffix}"
                path.write_bytes(data)
                self.assertEqual(unread_of(bundle.read(path)), {})


if __name__ == "__main__":
    unittest.main()
