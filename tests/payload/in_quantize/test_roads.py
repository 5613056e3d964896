"""The lint says of small graphs what MediaPipe's GPU delegate says of them, one for each rule and its counterpart."""

from __future__ import annotations

import unittest

from envguard_payload.contract import CPU, GPU, ROADS
from envguard_payload.roads import rules
from envguard_payload.roads.files import judged_roads
from envguard_payload.roads.lint import linted
from envguard_payload.roads.members import Runner, runner_of
from payload_support.road_cases import cases
from payload_support.road_graphs import PICTURE, one, sweep

ENDED = "ended"
"""What stands in a case for a delegate that ends its process without a word."""


class Lint(unittest.TestCase):
    def test_each_case_is_refused_in_the_delegates_words_or_taken(self) -> None:
        for name, model, words in cases():
            with self.subTest(name):
                (lint,) = (each for each in linted(model) if each.road == GPU)
                self.assertEqual(lint.verdict, "refused" if words else "taken", lint.refused)
                if words:
                    self.assertIn(words, "\n".join(each.reason for each in lint.refused))

    def test_every_rule_has_a_case(self) -> None:
        said = "\n".join(each.reason for _, model, _ in cases() for lint in linted(model) for each in lint.refused)
        for rule in (*rules.CHECKED, *rules.PARSED):
            start = max(rule.words.replace("}", "{").split("{")[::2], key=len)
            with self.subTest(rule.words):
                self.assertTrue(start in said or rule.words in _WITHOUT_CASE)

    def test_all_roads_are_judged_and_the_cpu_takes_what_has_no_custom_operator(self) -> None:
        for name, model, words in cases():
            with self.subTest(name):
                lints = linted(model)
                self.assertEqual(tuple(each.road for each in lints), ROADS)
                custom = "custom op" in words
                self.assertEqual(next(each for each in lints if each.road == CPU).verdict == "refused", custom)

    def test_a_model_that_mediapipe_runs_on_the_cpu_anyway_is_judged_as_there(self) -> None:
        path = "face_blendshapes.tflite"
        self.assertEqual(runner_of(path, in_bundle=False), Runner.DELEGATE)
        runner = runner_of(path, in_bundle=True)
        refused = next(model for name, model, _ in cases() if name == "int8 weights behind DEQUANTIZE")
        self.assertEqual({each.verdict for each in linted(refused, runner)}, {"taken"})

    def test_the_cpu_takes_the_custom_operators_that_interpreters_or_mediapipe_bring(self) -> None:
        for name, version, verdict in (
            ("TFLite_Detection_PostProcess", 1, "taken"),
            ("Convolution2DTransposeBias", 1, "taken"),
            ("Landmarks2TransformMatrix", 2, "taken"),
            ("Landmarks2TransformMatrix", 1, "refused"),
        ):
            with self.subTest(name, version=version):
                model = one("CUSTOM", [PICTURE], [PICTURE], custom=name.encode(), version=version)
                lints = {each.road: each.verdict for each in linted(model)}
                self.assertEqual((lints[CPU], lints[GPU]), (verdict, "refused"))

    def test_a_copy_fails_only_on_a_road_of_the_target_that_takes_the_original(self) -> None:
        models = {name: model for name, model, _ in cases()}
        taken, refused = (
            {"detector": linted(models[name])} for name in ("a convolution", "int8 weights behind DEQUANTIZE")
        )
        self.assertEqual([gate.passed for gate in judged_roads(taken, taken, ROADS)], [True] * len(ROADS))
        self.assertEqual(list(judged_roads(taken, refused, ())), [])
        self.assertEqual(list(judged_roads(refused, refused, [GPU])), [])
        (gate,) = judged_roads(taken, refused, [GPU])
        self.assertTrue(gate.failed)
        self.assertEqual((gate.name, gate.subject, gate.models), ("road-refused", "detector", ("detector",)))
        self.assertIn("1 DEQUANTIZE: Operation is not supported", gate.message)
        self.assertIn("--for gpu", gate.next)

    def test_a_sweep_is_the_same_every_time(self) -> None:
        first, again = ([name for name, _ in sweep(3, 40)] for _ in range(2))
        self.assertEqual(first, again)


_WITHOUT_CASE = frozenset(
    {
        "Unsupported FullyConnected weights format: {format}",
        "Input and output dimensions different and FullyConnected doesn't support keep_num_dims.",
        "If half_pixel_centers is True, align_corners must be False.",
    }
)
"""What TensorFlow Lite's own kernels refuse before the delegate is asked."""


if __name__ == "__main__":
    unittest.main()
