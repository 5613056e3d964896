"""The verify step on the real hand and pose bundles: what is measured, and what a ruined model is called.

ENVGUARD_TEST_HAND_BUNDLE and ENVGUARD_TEST_POSE_BUNDLE are paths of bundles, ENVGUARD_TEST_HANDS and
ENVGUARD_TEST_PEOPLE paths of pictures with the path separator between them.
"""

from __future__ import annotations

import os
import struct
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

from envguard_payload.files import bundle as bundles
from envguard_payload.protocol import Result
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

    @property
    def bundle(self) -> Path:
        return Path(os.environ.get(f"ENVGUARD_TEST_{self.kind.upper()}_BUNDLE", ""))

    @property
    def paths(self) -> list[Path]:
        return [Path(part) for part in os.environ[self.pictures].split(os.pathsep)]


CASES = (
    Case("hand", "hands", 224, "palm", "ENVGUARD_TEST_HANDS"),
    Case("pose", "poses", 256, "torso", "ENVGUARD_TEST_PEOPLE"),
)
LIMITS = {
    "max_hand_px": 2.0,
    "max_hands_lost": 0.0,
    "max_hands_flipped": 0.0,
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

    def verify(self, case: Case, quantized: Path) -> Result:
        known = inspected({f"{case.kind}_landmarks_detector": (1, case.crop, case.crop, 3)})
        inputs = {"original": case.bundle, "quantized": quantized, case.kind: case.paths}
        result: Result = verify.run(request("steps.verify", self.folder, inputs, LIMITS, known), Silent())
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
                values = result.values
                if case.kind == "hand":
                    self.assertEqual(values["hands"]["flipped"], 0)
                    self.assertNotIn("visibility", values)
                else:
                    self.assertEqual(values["visibility"], {"mean_abs": 0.0, "max": 0.0})
                    self.assertGreater(values["noise_floor"]["visibility"]["mean_abs"], 0.0)
                self.assertEqual(result.failures, ())
                self.assertTrue(values["verified"])
                self.assertGreaterEqual(values[case.things]["before"], 5)
                self.assertEqual((values[case.things]["lost"], values[case.things]["extra"]), (0, 0))
                self.assertEqual(values["landmark_shift"][f"px_{case.crop}"], {"mean": 0.0, "p95": 0.0, "max": 0.0})
                self.assertEqual(values["landmark_shift"][case.measure], {"mean": 0.0})
                self.assertEqual(values["world_shift"]["mm"]["max"], 0.0)
                floor = values["noise_floor"]
                self.assertGreater(floor["landmark_shift"][case.measure]["mean"], 0.0)
                self.assertGreater(floor["world_shift"]["mm"]["mean"], 0.0)

    def test_a_ruined_detector_loses_what_there_is(self) -> None:
        for case in CASES:
            with self.subTest(case.kind):
                result = self.verify(case, self.with_ruined(case, f"{case.kind}_detector"))
                self.assertIn(f"{case.things}-lost", [failure.name for failure in result.failures])

    def test_ruined_landmarks_fail_by_name(self) -> None:
        for case in CASES:
            with self.subTest(case.kind):
                result = self.verify(case, self.with_ruined(case, f"{case.kind}_landmarks_detector"))
                names = {failure.name for failure in result.failures}
                self.assertTrue({f"{case.things}-lost", "landmark-shift"} & names, names)


if __name__ == "__main__":
    unittest.main()
