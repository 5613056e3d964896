"""The inputs that the calibrate step makes are those that MediaPipe's graphs give to the models."""

from __future__ import annotations

import os
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from envguard_payload.face_inputs import FRAMINGS, blendshapes_input, landmarks_input, whole_input
from envguard_payload.faces import OUTER_EYE_CORNERS, Face
from envguard_payload.protocol import Refused, Request
from envguard_payload.steps import calibrate

BUNDLE = os.environ.get("ENVGUARD_TEST_BUNDLE", "")
PICTURES = [Path(part) for part in os.environ.get("ENVGUARD_TEST_PICTURES", "").split(os.pathsep)]


class Silent:
    """Takes the events, so that standard output stays the test runner's."""

    def progress(self, label: str, done: float, total: float) -> None: ...


def face(angle: float) -> Face:
    """A face of 100 by 100 pixels around (200, 150), its eyes turned by `angle` degrees."""
    points = np.full((478, 2), (200.0, 150.0))
    points[0], points[1] = (150.0, 100.0), (250.0, 200.0)
    along = 30.0 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    right, left = OUTER_EYE_CORNERS
    points[right], points[left] = points[2] - along, points[2] + along
    return Face(points)


def picture(marks: dict[tuple[int, int], int]) -> np.ndarray:
    pixels = np.zeros((300, 400, 3), np.uint8)
    for (x, y), value in marks.items():
        pixels[y - 3 : y + 4, x - 3 : x + 4] = value
    return pixels


class Inputs(unittest.TestCase):
    def test_a_crop_is_centred_on_the_face_and_half_as_large_again(self) -> None:
        crop = landmarks_input(picture({(200, 150): 255, (200 + 60, 150): 100}), face(0.0), FRAMINGS[0])
        self.assertEqual(crop.shape, (256, 256, 3))
        self.assertEqual(crop[128, 128, 0], 255)
        self.assertEqual(crop[128, 128 + round(60 * 256 / 150), 0], 100)

    def test_a_crop_is_turned_until_the_eyes_are_level(self) -> None:
        crop = landmarks_input(picture({(200, 150 + 60): 100}), face(90.0), FRAMINGS[0])
        self.assertEqual(crop[128, 128 + round(60 * 256 / 150), 0], 100)

    def test_the_detector_sees_the_whole_picture_between_black_bars(self) -> None:
        seen = whole_input(np.full((100, 200, 3), 255, np.uint8), (128, 128))
        self.assertEqual(seen.shape, (128, 128, 3))
        self.assertTrue((seen[33:95] == 255).all())
        self.assertFalse(seen[:31].any() or seen[97:].any())

    def test_the_blendshape_model_gets_146_points(self) -> None:
        self.assertEqual(blendshapes_input(face(0.0)).shape, (146, 2))


@unittest.skipUnless(BUNDLE, "ENVGUARD_TEST_BUNDLE is not set")
class Calibrate(unittest.TestCase):
    def run_step(self, pictures: list[Path], folder: Path) -> dict[str, Any]:
        inputs = {"model": Path(BUNDLE), **{f"picture:{path.name}": path for path in pictures}}
        events: Any = Silent()
        return dict(calibrate.run(Request("steps.calibrate", inputs, folder), events).values)

    def test_each_model_of_a_face_bundle_gets_inputs_of_its_own_kind(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            values = self.run_step(PICTURES[:1], Path(folder))
            with np.load(Path(folder) / values["files"]["calibration"]) as file:
                shapes = {name: (file[name].shape[1:], file[name].dtype.name) for name in file.files}
        self.assertEqual(
            shapes,
            {
                "face_detector": ((128, 128, 3), "uint8"),
                "face_landmarks_detector": ((256, 256, 3), "uint8"),
                "face_blendshapes": ((146, 2), "float32"),
            },
        )
        self.assertEqual(values["inputs"]["face_landmarks_detector"], 12 * len(FRAMINGS))

    def test_a_users_arrays_are_taken_as_they_are_and_before_pictures(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder) / "given.npz"
            np.savez(given, face_blendshapes=np.ones((3, 146, 2), np.float32), unknown=np.ones(1))
            inputs = {"model": Path(BUNDLE), "arrays:given.npz": given}
            events: Any = Silent()
            values = calibrate.run(Request("steps.calibrate", inputs, Path(folder)), events).values
        self.assertEqual(values["inputs"], {"face_blendshapes": 3})

    def test_what_is_held_out_comes_from_pictures_that_calibration_does_not_see(self) -> None:
        first, second = PICTURES[:2]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            inputs = {"model": Path(BUNDLE), f"face:{first.name}": first, f"face_held_out:{second.name}": second}
            events: Any = Silent()
            values = calibrate.run(Request("steps.calibrate", inputs, folder), events).values
            self.assertEqual(values["held_out"]["face_landmarks_detector"], 12)
            alone = calibrate.run(
                Request("steps.calibrate", {"model": Path(BUNDLE), f"picture:{first.name}": first}, folder), events
            ).values
        self.assertEqual(alone["inputs"], values["inputs"])
        self.assertEqual(alone["held_out"], {}, "one view is all that there is to calibrate with")

    def test_of_many_rows_of_an_array_every_fifth_is_held_out(self) -> None:
        rows = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((10, 146, 2), np.float32)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            np.save(folder / "given.npy", rows)
            with zipfile.ZipFile(BUNDLE) as bundle:
                (folder / "model.tflite").write_bytes(bundle.read("face_blendshapes.tflite"))
            inputs = {"model": folder / "model.tflite", "arrays:given.npy": folder / "given.npy"}
            events: Any = Silent()
            files = calibrate.run(Request("steps.calibrate", inputs, folder), events).values["files"]
            shown, apart = (np.load(folder / files[each])["model"][:, 0, 0] for each in ("calibration", "held_out"))
        self.assertEqual(apart.tolist(), [4, 9])
        self.assertEqual(shown.tolist(), [0, 1, 2, 3, 5, 6, 7, 8])

    def test_a_bare_model_gets_the_users_pictures_whole(self) -> None:
        described = {"name": "given", "inputs": [{"shape": [1, 32, 48, 3]}]}
        request = {"results": {"inspect": {"models": [described]}}, "options": {"own": True}}
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "given.tflite"
            with zipfile.ZipFile(BUNDLE) as bundle:
                model.write_bytes(bundle.read("face_detector.tflite"))
            inputs = {"model": model, "picture": PICTURES[0]}
            events: Any = Silent()
            calibrate.run(Request("steps.calibrate", inputs, Path(folder), **request), events)
            with np.load(Path(folder) / calibrate.FILE) as file:
                self.assertEqual(file["given"].shape, (12, 32, 48, 3))

    def test_without_pictures_it_refuses(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(Refused):
            self.run_step([], Path(folder))


if __name__ == "__main__":
    unittest.main()
