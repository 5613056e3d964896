"""MediaPipe's own models, float16, float32, sparse and with custom operators: each shrinks for a CPU and stays itself.

ENVGUARD_TEST_MODELS is a folder that holds `.tflite` files, at any depth.
"""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from typing import Any

from envguard_payload.steps import compare, quantize
from payload_support.requests import Silent, request

FOLDER = os.environ.get("ENVGUARD_TEST_MODELS", "")
MODELS = sorted(Path(FOLDER).rglob("*.tflite")) if FOLDER else []
LARGEST_RATIO = 0.8
NOT_RUN = {"face_landmark_with_attention"}
"""Models with operators that only MediaPipe's own interpreter has."""


@unittest.skipUnless(MODELS, "ENVGUARD_TEST_MODELS is not set, or has no models")
class RealModels(unittest.TestCase):
    def test_each_model_shrinks_and_answers_alike(self) -> None:
        for path in MODELS:
            with self.subTest(path.stem), tempfile.TemporaryDirectory() as folder:
                self.check(path, Path(folder))

    def check(self, path: Path, folder: Path) -> None:
        events: Any = Silent()
        quantized = quantize.run(request("steps.quantize", folder, {"model": path}, {"target": "cpu"}), events)
        self.assertEqual(quantized.failures, ())
        self.assertLess(quantized.values.ratio, LARGEST_RATIO)
        inputs = {"original": path, "quantized": folder / quantized.files["quantized"]}
        # How fast is measured on the bundle; here the machine may be busy, and only ruin counts.
        compared = compare.run(request("steps.compare", folder, inputs, {"max_latency_ratio": 1.5}), events)
        self.assertEqual(compared.failures, ())
        (model,) = compared.values.models
        self.assertEqual(model.ran, path.stem not in NOT_RUN, model.reason)
        if not model.ran:
            self.assertIn("custom operator", model.reason)


if __name__ == "__main__":
    unittest.main()
