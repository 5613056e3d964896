"""The step `verify` on MediaPipe's GPU delegate: copies that it takes, and one that it refuses.

ENVGUARD_TEST_BUNDLE is the path of face_landmarker.task, ENVGUARD_TEST_PICTURES are paths of pictures.
"""

from __future__ import annotations

import os
import tempfile
import unittest
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

from envguard_payload.contract import (
    InspectFindings,
    Port,
    Processor,
    QuantizedModel,
    QuantizeFindings,
    RecipeDocument,
    RecipeSummary,
    RoadLint,
    RoadRun,
    StepFindings,
    VerifyFindings,
)
from envguard_payload.files import bundle as bundles
from envguard_payload.gates import judge
from envguard_payload.gpu import asking
from envguard_payload.landmarks.kinds import KINDS
from envguard_payload.landmarks.road_gates import gates_on
from envguard_payload.steps import gpu, verify
from payload_support.refused import behind_dequantize
from payload_support.requests import Silent, inspected, request

BUNDLE = Path(os.environ.get("ENVGUARD_TEST_BUNDLE", ""))
PICTURES = [Path(part) for part in os.environ.get("ENVGUARD_TEST_PICTURES", "").split(os.pathsep)][:2]
LANDMARKS = "face_landmarks_detector"
BOTH = ("cpu", "gpu")


class GpuRoad(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def verify(self, copy: Path, roads: Sequence[str] = BOTH, *, must_run: bool = False) -> StepFindings:
        inputs = {"original": BUNDLE, "quantized": copy, "face": PICTURES}
        known = inspected({LANDMARKS: (1, 256, 256, 3)})
        options = {"roads": list(roads), "must_run": must_run}
        result: StepFindings = verify.run(request("steps.verify", self.folder, inputs, options, known), Silent())
        return result

    def refused_copy(self) -> Path:
        whole = bundles.read(BUNDLE)
        (data,) = (model.data for model in whole.models() if model.name == LANDMARKS)
        path = self.folder / "behind_dequantize.task"
        path.write_bytes(whole.replaced({LANDMARKS: behind_dequantize(bytes(data))}).to_bytes())
        return path

    def test_the_original_is_taken_and_does_not_differ_from_itself(self) -> None:
        result = self.verify(BUNDLE)
        cpu, run = roads(result)
        self.assertEqual((cpu.road, run.road, run.ran, run.reason), ("cpu", "gpu", True, ""))
        self.assertEqual((run.original_taken, run.copy_taken), (True, True))
        self.assertRegex(run.runtime, "MediaPipe 0[.]10[.]21's GPU delegate on .+")
        assert run.measures is not None
        assert run.measures.landmark_shift is not None
        assert run.noise is not None
        assert run.noise.landmark_shift is not None
        assert run.sample_size is not None
        assert run.latency is not None
        self.assertEqual((run.measures.counts.lost, run.measures.landmark_shift.px.mean), (0, 0.0))
        self.assertGreater(run.noise.landmark_shift.px.mean, 0.0)
        self.assertEqual(run.sample_size.images, gpu.IMAGES)
        self.assertGreater(run.latency.original_ms, 0.0)
        self.assertEqual(result.failures, ())

    def test_every_gate_of_the_road_is_there_beside_those_of_the_cpu(self) -> None:
        gates = {gate.name: gate for gate in self.verify(BUNDLE).gates}
        of_cpu = ["mediapipe-rejects", "faces-lost", "landmark-shift", "blendshape-shift"]
        of_gpu = ["gpu-refuses", "gpu-faces-lost", "gpu-landmark-shift", "gpu-blendshape-shift"]
        self.assertEqual(list(gates), [*of_cpu, *of_gpu])
        self.assertEqual(gates["gpu-landmark-shift"].limit, 0.3)

    def test_a_file_for_the_cpu_is_a_cure_for_what_goes_wrong_on_the_cpu_alone(self) -> None:
        for kind in KINDS:
            for gate in kind.gates:
                self.assertIn("--for cpu", gate.declaration.next, gate.declaration.name)
            for gate in gates_on("gpu", kind):
                self.assertNotIn("--for cpu", gate.declaration.next, gate.declaration.name)

    def test_int8_weights_behind_dequantize_are_refused_in_the_delegates_own_words(self) -> None:
        result = self.verify(self.refused_copy())
        (refused,) = (gate for gate in result.gates if gate.name == "gpu-refuses")
        _, run = roads(result)
        self.assertEqual((run.original_taken, run.copy_taken, run.measures), (True, False, None))
        self.assertTrue(refused.failed)
        self.assertIn("Following operations are not supported by GPU delegate: DEQUANTIZE", refused.message)
        self.assertIn("DEQUANTIZE: Operation is not supported", refused.message)
        self.assertIn(LANDMARKS, refused.models)
        self.assertTrue(next(gate for gate in result.gates if gate.name == "mediapipe-rejects").passed)

    def verify_bare(self, changed: bool) -> StepFindings:
        """The landmark model by itself beside itself, or beside one with its weights behind DEQUANTIZE."""
        (data,) = (bytes(model.data) for model in bundles.read(BUNDLE).models() if model.name == LANDMARKS)
        original, copy = self.folder / "original.tflite", self.folder / "copy.tflite"
        original.write_bytes(data)
        copy.write_bytes(behind_dequantize(data) if changed else data)
        (model,) = inspected({"original": (1, 256, 256, 3)}).models
        answers = tuple(Port(name, (), (), "FLOAT32") for name in ("landmarks", "presence", "tongue"))
        known = InspectFindings("original.tflite", "model", 0, (), (replace(model, outputs=answers),))
        inputs = {"original": original, "quantized": copy}
        result: StepFindings = verify.run(
            request("steps.verify", self.folder, inputs, {"roads": list(BOTH)}, known), Silent()
        )
        return result

    def test_a_bare_model_is_taken_and_its_outputs_are_compared(self) -> None:
        result = self.verify_bare(changed=False)
        (run,) = roads(result)
        self.assertEqual((run.road, run.ran, run.original_taken, run.copy_taken), ("gpu", True, True, True), run.reason)
        self.assertEqual([output.cosine for output in run.outputs], [1.0, 1.0, 1.0])
        self.assertLess(run.outputs[0].noise_cosine, 1.0)
        self.assertIn("gpu-inaccurate", [gate.name for gate in result.gates])
        self.assertEqual(result.failures, ())

    def test_a_bare_model_that_the_delegate_refuses_fails_in_its_words(self) -> None:
        result = self.verify_bare(changed=True)
        (run,) = roads(result)
        self.assertEqual((run.original_taken, run.copy_taken), (True, False))
        self.assertEqual([failure.name for failure in result.failures], ["gpu-refuses"])
        self.assertIn("DEQUANTIZE: Operation is not supported", result.failures[0].message)

    def test_a_refusal_is_due_to_the_models_that_the_rules_refuse_and_without_such_to_any(self) -> None:
        gate = replace(judge(verify.GPU_REFUSES, passed=False, words={"reason": "no"}), models=("one", "two"))
        asked = request("steps.verify", self.folder, {})
        models = (made("one", RoadLint("gpu", "taken")), made("two", RoadLint("gpu", "refused")))
        quantized = QuantizeFindings(
            1, 1, "", "", 1.0, RecipeDocument("balanced"), Processor("x86_64", "", ()), (), models
        )
        self.assertEqual(verify.blamed(gate, asked).models, ("one", "two"))
        self.assertEqual(verify.blamed(gate, replace(asked, findings={"quantize": quantized})).models, ("two",))

    def test_a_road_that_nobody_asks_for_is_not_run(self) -> None:
        result = self.verify(self.refused_copy(), roads=["cpu"])
        self.assertEqual([run.road for run in roads(result)], ["cpu"])
        self.assertFalse(any(gate.name.startswith("gpu-") for gate in result.gates))

    def test_without_a_driver_the_road_is_not_run_and_packages_are_named(self) -> None:
        with mock.patch.dict(os.environ, {"__EGL_VENDOR_LIBRARY_FILENAMES": str(self.folder / "none.json")}):
            result = self.verify(BUNDLE, must_run=True)
        _, run = roads(result)
        self.assertFalse(run.ran)
        self.assertEqual([gate.name for gate in result.gates if not gate.judged], ["gpu-run"])
        self.assertIn("libegl1 libgles2 libgl1-mesa-dri libegl-mesa0 libgbm1", run.reason)
        self.assertIsNone(run.copy_taken)

    def test_a_driver_that_hangs_ends_the_road_and_not_the_step(self) -> None:
        with mock.patch.object(asking, "LONGEST_SILENCE", 0.2):
            result = self.verify(BUNDLE)
        _, run = roads(result)
        self.assertFalse(run.ran)
        self.assertIn("said nothing for 0.2 s", run.reason)
        self.assertTrue(all(gate.judged for gate in result.gates))
        self.assertEqual(result.failures, ())


def made(name: str, *lints: RoadLint) -> QuantizedModel:
    return QuantizedModel(name, 1, 1, True, RecipeSummary("int8"), (), (), roads=lints)


def roads(result: StepFindings) -> tuple[RoadRun, ...]:
    assert isinstance(result.values, VerifyFindings)
    return tuple(result.values.roads)
