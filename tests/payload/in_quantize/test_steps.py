"""The steps on Google's real bundle, on models made here, and on what they must refuse or fail.

ENVGUARD_TEST_BUNDLE is the path of face_landmarker.task.
"""

from __future__ import annotations

import os
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from envguard_payload.checks import quantize as check
from envguard_payload.contract import StepFindings
from envguard_payload.files import bundle
from envguard_payload.graph import metadata
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator
from envguard_payload.int8 import quantizer_api
from envguard_payload.measuring import accuracy, numerics, output_gates
from envguard_payload.protocol import Refused
from envguard_payload.steps import compare, inspect, quantize
from payload_support.requests import Silent, request

BUNDLE = os.environ.get("ENVGUARD_TEST_BUNDLE", "")
MEMBERS = [
    "face_detector.tflite",
    "face_landmarks_detector.tflite",
    "geometry_pipeline_metadata_landmarks.binarypb",
    "face_blendshapes.tflite",
]


class StepTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_step(self, step: Any, inputs: dict[str, Path], **options: Any) -> StepFindings:
        result: StepFindings = step.run(request(step.__name__, self.folder, inputs, options), Silent())
        return result

    def quantize(self, path: Path, **options: Any) -> StepFindings:
        return self.run_step(quantize, {"model": path}, **options)

    def write(self, model: Any, name: str = "network.tflite") -> Path:
        path = self.folder / name
        path.write_bytes(models.save(model))
        return path


@unittest.skipUnless(BUNDLE, "ENVGUARD_TEST_BUNDLE is not set")
class RealBundle(StepTest):
    def test_the_whole_bundle_gets_small_and_stays_as_fast_and_as_it_was(self) -> None:
        original = Path(BUNDLE)
        result = self.quantize(original)
        self.assertEqual(result.failures, ())
        self.assertLess(result.values.bytes_out, 2_200_000)
        written = self.folder / result.files["quantized"]
        self.assertEqual(written.name, "quantized.task")
        self.assertEqual([name for name, _ in bundle.read(written).members()], MEMBERS)

        compared = self.run_step(compare, {"original": original, "quantized": written}, max_latency_ratio=1.05)
        self.assertEqual(compared.failures, ())
        for model in compared.values.models:
            self.assertTrue(model.ran, model)
            self.assertGreater(model.latency.rounds, 0)

    def test_asked_to_compress_without_real_inputs_it_says_that_it_did_not(self) -> None:
        said: list[str] = []
        with mock.patch.object(Silent, "note", lambda _, text: said.append(text)):
            self.quantize(Path(BUNDLE), low_rank=True)
        self.assertEqual([text.partition(":")[0] for text in said], ["Nothing was compressed"])

    def test_two_runs_give_the_same_bytes(self) -> None:
        runs = [self.quantize(Path(BUNDLE)).values.sha256_out for _ in range(2)]
        self.assertEqual(runs[0], runs[1])

    def test_a_dropped_model_is_left_out_and_named(self) -> None:
        result = self.quantize(Path(BUNDLE), drop=["face_blendshapes"])
        self.assertEqual(result.failures, ())
        self.assertEqual(result.values.dropped, ("face_blendshapes",))
        written = self.folder / "quantized.task"
        self.assertEqual([name for name, _ in bundle.read(written).members()], MEMBERS[:3])
        compared = self.run_step(compare, {"original": Path(BUNDLE), "quantized": written})
        self.assertEqual([model.name for model in compared.values.models], [name[:-7] for name in MEMBERS[:2]])

    def test_inspection_tells_what_stands_in_the_way(self) -> None:
        values = self.run_step(inspect, {"model": Path(BUNDLE)}).values
        self.assertEqual([member.name for member in values.members], MEMBERS)
        detector = values.models[0]
        self.assertEqual(detector.weight_bytes["FLOAT16"], 202_780)
        self.assertEqual(detector.inputs[0].shape, (1, 128, 128, 3))
        self.assertIn("operator_codes", [entry.name for entry in detector.passes])
        self.assertIn("TFLITE_METADATA", detector.metadata)

    def test_a_bundle_that_was_quantized_is_refused(self) -> None:
        self.quantize(Path(BUNDLE))
        again = (self.folder / "quantized.task").rename(self.folder / "again.task")
        with self.assertRaisesRegex(Refused, "again.task is quantized already"):
            self.quantize(again)

    def test_a_damaged_model_in_a_whole_bundle_is_refused_by_name(self) -> None:
        source = bundle.read(Path(BUNDLE))
        data = source.models()[1].data
        path = self.folder / "damaged.task"
        path.write_bytes(source.replaced({"face_landmarks_detector": data[: len(data) // 2]}).to_bytes())
        for step in (inspect, quantize):
            with self.assertRaisesRegex(Refused, "face_landmarks_detector"):
                self.run_step(step, {"model": path})

    def test_a_bundle_compared_with_itself_passes(self) -> None:
        inputs = {"original": Path(BUNDLE), "quantized": Path(BUNDLE)}
        self.assertEqual(self.run_step(compare, inputs, max_latency_ratio=1.05).failures, ())

    def test_a_lost_member_is_found(self) -> None:
        rest = bundle.read(Path(BUNDLE)).without(["face_blendshapes"])
        with mock.patch.object(bundle.Bundle, "replaced", return_value=rest):
            failures = self.quantize(Path(BUNDLE)).failures
        self.assertIn("member-lost", {failure.name for failure in failures})

    def test_lost_metadata_is_found(self) -> None:
        with mock.patch.object(metadata, "give_back", return_value=None):
            failures = self.quantize(Path(BUNDLE)).failures
        self.assertEqual({failure.name for failure in failures}, {"metadata-lost"})


class Gates(StepTest):
    """What a broken quantizer would hand over; here the quantizer's one module is told to be one."""

    def network(self) -> Path:
        return self.write(check.small_model())

    def failures(self, **behaviour: Any) -> set[str]:
        with mock.patch.object(quantizer_api, "quantize_weights", **behaviour):
            return {failure.name for failure in self.quantize(self.network()).failures}

    def test_a_quantizer_that_does_nothing_is_a_no_op(self) -> None:
        # float32 weights are stored as float16 again, so the file ends up as large as it was.
        self.assertEqual(self.failures(side_effect=lambda model, operators: model), {"no-op"})

    def test_a_quantizer_that_fails_is_named(self) -> None:
        self.assertEqual(self.failures(side_effect=KeyError("CONV_2D")), {"quantizer-failed"})

    def test_changed_inputs_and_outputs_are_found(self) -> None:
        real = quantizer_api.quantize_weights

        def reshapes(model: bytes, operators: Any) -> bytes:
            changed = models.load(real(model, operators), "it")
            changed.subgraphs[0].tensors[changed.subgraphs[0].inputs[0]].shape = [1, 8, 8, 3]
            data: bytes = models.save(changed)
            return data

        self.assertEqual(self.failures(side_effect=reshapes), {"io-changed"})

    def test_a_model_with_nothing_to_quantize_is_a_no_op(self) -> None:
        build = GraphBuilder()
        source, output = build.tensor("input", (1, 4)), build.tensor("output", (1, 4))
        build.operator(BuiltinOperator.TANH, [source], [output])
        result = self.quantize(self.write(build.finish([source], [output])))
        self.assertEqual([failure.name for failure in result.failures], ["no-op"])

    def compare_outputs(self, weights: float, held_out: str = "") -> set[str]:
        """Failures when every weight of the copy was multiplied by `weights`; `held_out` names the model of inputs."""
        original = self.network()
        copy = check.small_model()
        for buffer in copy.buffers:
            if buffer.data is not None:
                with np.errstate(over="ignore"):
                    scaled = np.frombuffer(buffer.data.tobytes(), np.float16) * np.float16(weights)
                buffer.data = np.frombuffer(scaled.tobytes(), np.uint8)
        inputs = {"original": original, "quantized": self.write(copy, "copy.tflite")}
        if held_out:
            shape = copy.subgraphs[0].tensors[copy.subgraphs[0].inputs[0]].shape
            pixels = np.random.default_rng(0).integers(0, 256, [30, *shape[1:]], np.uint8)
            np.savez(self.folder / "held_out.npz", **{held_out: pixels})
            inputs["held_out"] = self.folder / "held_out.npz"
        self.result = self.run_step(compare, inputs)
        return {failure.name for failure in self.result.failures}

    def test_silent_zeros_are_found(self) -> None:
        self.assertEqual(self.compare_outputs(0.0), {"silent-zeros"})

    def test_nan_is_found(self) -> None:
        self.assertEqual(self.compare_outputs(float("nan")), {"not-finite"})

    def test_wrong_answers_are_found(self) -> None:
        self.assertLessEqual({"inaccurate", "column-inaccurate"}, self.compare_outputs(-1.0))

    def test_held_out_inputs_are_used_and_named_and_others_are_made_up(self) -> None:
        self.assertEqual(self.compare_outputs(1.0, held_out="network"), set())
        (model,) = self.result.values.models
        self.assertEqual((model.inputs, model.inputs_tried), ("held-out", 24))
        self.assertEqual(self.compare_outputs(1.0, held_out="another"), set())
        (model,) = self.result.values.models
        self.assertEqual((model.inputs, model.inputs_tried), ("synthetic", 4))

    def test_real_inputs_are_judged_more_strictly(self) -> None:
        limits = {gate.option: gate.default for gate in compare.GATES}
        middle = (limits["min_cosine"] + limits["min_real_cosine"]) / 2
        near = numerics.Difference("it", middle, 0.1, 0.1, 1.0, 3.0, finite=True, silent=False)
        for kind, noise, expected in (
            (accuracy.HELD_OUT, 0.99, ["inaccurate"]),
            (accuracy.SYNTHETIC, 0.99, []),
            (accuracy.HELD_OUT, middle - 0.01, []),  # noise that nobody sees does more than quantizing
        ):
            output = accuracy.Output(near, replace(near, cosine=noise))
            inputs = accuracy.Inputs(kind, ([],), ())
            gates = output_gates.judged("it", inputs, [output], limits)
            self.assertEqual([gate.name for gate in gates if not gate.passed], expected)

    def test_every_time_that_was_measured_is_told(self) -> None:
        self.compare_outputs(1.0)
        (model,) = self.result.values.models
        for measured in ("latency", "load", "first"):
            self.assertGreater(getattr(model, measured).original_ms, 0)
        if self.result.values.processors > 1:
            self.assertEqual(model.two_threads.threads, 2)
        self.assertEqual(model.profile_reason, "")
        self.assertGreaterEqual(len(model.profile.quantized.kinds), 1)

    def test_with_one_processor_two_threads_are_not_measured_and_that_is_said(self) -> None:
        with mock.patch.object(compare, "processors", return_value=1):
            self.compare_outputs(1.0)
        (model,) = self.result.values.models
        self.assertIsNone(model.two_threads)
        self.assertIn("only one processor", model.two_threads_reason)

    def test_another_interface_is_found(self) -> None:
        build = check.small_model()
        build.subgraphs[0].tensors[0].name = b"picture"
        inputs = {"original": self.network(), "quantized": self.write(build, "copy.tflite")}
        compared = self.run_step(compare, inputs)
        self.assertEqual([failure.name for failure in compared.failures], ["io-changed"])


class Inspection(StepTest):
    def test_types_and_what_becomes_int8_are_counted(self) -> None:
        (model,) = self.run_step(inspect, {"model": self.write(check.small_model())}).values.models
        self.assertEqual(model.state, "float16")
        self.assertGreater(model.constants["FLOAT16"], 0)
        self.assertGreater(model.activations["FLOAT32"], 0)
        self.assertGreater(sum(row["int8_weights"] for row in model.becomes_int8.values()), 0)
        self.assertEqual(model.blocks, ())

    def test_a_custom_operator_and_its_effect_are_named(self) -> None:
        build = GraphBuilder()
        source, output = build.tensor("input", (1, 4)), build.tensor("output", (1, 4))
        build.operator(BuiltinOperator.CUSTOM, [source], [output])
        build.model.operatorCodes[0].customCode = b"Strange"
        (model,) = self.run_step(inspect, {"model": self.write(build.finish([source], [output]))}).values.models
        self.assertEqual(model.custom_operators, ("Strange",))
        self.assertIn("custom operator Strange", [each.what for each in model.blocks])

    def test_a_model_that_is_quantized_says_so(self) -> None:
        self.quantize(self.write(check.small_model()))
        (model,) = self.run_step(inspect, {"model": self.folder / "quantized.tflite"}).values.models
        self.assertEqual((model.state, model.recipe), (inspect.INTEGERS, None))
        self.assertIn("quantize the float model", model.blocks[0].effect)


class Check(StepTest):
    def test_this_environment_passes_its_own_check(self) -> None:
        result = self.run_step(check, {})
        self.assertEqual(result.failures, ())
        self.assertIn("ai-edge-litert", result.values.facts["versions"])


if __name__ == "__main__":
    unittest.main()
