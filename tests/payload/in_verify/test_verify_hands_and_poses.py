"""The verify step on the real hand, pose and gesture bundles: what is measured, and what a ruined model is called.

ENVGUARD_TEST_HAND_BUNDLE, ENVGUARD_TEST_POSE_BUNDLE and ENVGUARD_TEST_GESTURE_BUNDLE are paths of bundles,
ENVGUARD_TEST_HANDS and ENVGUARD_TEST_PEOPLE paths of pictures with the path separator between them.
"""

from __future__ import annotations

import os
import struct
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

from envguard_payload.contract import Spread, StepFindings, VerifyFindings
from envguard_payload.files import bundle as bundles
from envguard_payload.steps import verify
from flatbuffers.table import Table
from payload_support.requests import Silent, inspected, request


@dataclass(frozen=True)
class Case:
    kind: str
    things: str
    crop: int
    measure: str
    pictures: str
    scores: str = ""
    shows: str = ""
    nested: str = ""

    @property
    def shown(self) -> str:
        return self.shows or self.kind

    def model(self, part: str) -> str:
        return f"{self.nested}{self.shown}_{part}"

    @property
    def bundle(self) -> Path:
        return Path(os.environ.get(f"ENVGUARD_TEST_{self.kind.upper()}_BUNDLE", ""))

    @property
    def paths(self) -> list[Path]:
        return [Path(part) for part in os.environ[self.pictures].split(os.pathsep)]


CASES = (
    Case("hand", "hands", 224, "palm", "ENVGUARD_TEST_HANDS"),
    Case("pose", "poses", 256, "torso", "ENVGUARD_TEST_PEOPLE", "visibility"),
    Case("gesture", "hands", 224, "palm", "ENVGUARD_TEST_HANDS", "gestures", "hand", "hand_landmarker/"),
)
LIMITS = {
    "max_hand_px": 2.0,
    "max_hands_lost": 0.0,
    "max_hands_flipped": 0.0,
    "max_gestures_changed": 0.0,
    "max_gesture_score": 0.01,
    "max_pose_px": 3.0,
    "max_poses_lost": 0.0,
    "max_visibility": 0.02,
}


LARGE = 10_000


def ruined(data: bytes) -> bytes:
    """The model with its larger buffers of weights set to zero; fields 4 and 0 are `buffers` and `data` of TFLite."""
    model = Table(data, struct.unpack_from("<I", data)[0])
    buffers = model.Offset(4 + 2 * 4)
    changed = bytearray(data)
    for index in range(model.VectorLen(buffers)):
        each = Table(data, model.Indirect(model.Vector(buffers) + 4 * index))
        if each.Offset(4) and each.VectorLen(each.Offset(4)) >= LARGE:
            start, size = each.Vector(each.Offset(4)), each.VectorLen(each.Offset(4))
            changed[start : start + size] = bytes(size)
    return bytes(changed)


@unittest.skipUnless(all(case.bundle.is_file() for case in CASES), "the bundles are not given")
class HandsAndPoses(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def verify(self, case: Case, quantized: Path) -> StepFindings:
        known = inspected({case.model("landmarks_detector"): (1, case.crop, case.crop, 3)})
        inputs = {"original": case.bundle, "quantized": quantized, case.shown: case.paths}
        result: StepFindings = verify.run(request("steps.verify", self.folder, inputs, LIMITS, known), Silent())
        return result

    def with_ruined(self, case: Case, model: str) -> Path:
        whole = bundles.read(case.bundle)
        (data,) = (each.data for each in whole.models() if each.name == model)
        path = self.folder / "ruined.task"
        path.write_bytes(whole.replaced({model: ruined(data)}).to_bytes())
        return path

    def test_an_original_does_not_differ_from_itself_but_for_noise(self) -> None:
        for case in CASES:
            with self.subTest(case.kind):
                result = self.verify(case, case.bundle)
                found = result.values
                assert isinstance(found, VerifyFindings)
                assert found.measures is not None
                assert found.noise is not None
                counts, shift, scores = found.measures.counts, found.measures.landmark_shift, found.measures.scores
                if case.shown == "hand":
                    self.assertEqual(counts.flipped, 0)
                self.assertEqual(counts.changed, 0 if case.kind == "gesture" else None)
                if not case.scores:
                    self.assertIsNone(scores)
                else:
                    assert scores is not None
                    assert found.noise.scores is not None
                    self.assertEqual((scores.name, scores.mean_abs, scores.max), (case.scores, 0.0, 0.0))
                    self.assertGreater(found.noise.scores.mean_abs, 0.0)
                self.assertEqual(result.failures, ())
                self.assertTrue(found.verified)
                self.assertEqual(counts.things, case.things)
                self.assertGreaterEqual(counts.before, 5)
                self.assertEqual((counts.lost, counts.extra), (0, 0))
                assert shift is not None
                self.assertEqual((shift.crop_side, shift.px), (case.crop, Spread(0.0, 0.0, 0.0)))
                self.assertEqual((shift.measure, shift.relative), (case.measure, 0.0))
                self.assertEqual(found.measures.world_mm, Spread(0.0, 0.0, 0.0))
                assert found.noise.landmark_shift is not None
                assert found.noise.world_mm is not None
                self.assertGreater(found.noise.landmark_shift.relative, 0.0)
                self.assertGreater(found.noise.world_mm.mean, 0.0)

    def test_a_ruined_detector_loses_what_there_is(self) -> None:
        for case in CASES:
            with self.subTest(case.kind):
                result = self.verify(case, self.with_ruined(case, case.model("detector")))
                self.assertIn(f"{case.things}-lost", [failure.name for failure in result.failures])

    def test_ruined_landmarks_fail_by_name(self) -> None:
        for case in CASES:
            with self.subTest(case.kind):
                result = self.verify(case, self.with_ruined(case, case.model("landmarks_detector")))
                names = {failure.name for failure in result.failures}
                self.assertTrue({f"{case.things}-lost", "landmark-shift"} & names, names)


if __name__ == "__main__":
    unittest.main()
