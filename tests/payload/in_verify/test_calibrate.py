"""The calibrate step makes inputs for each model of a bundle from real pictures, and holds some of them out."""

from __future__ import annotations

import os
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np
from envguard_payload.contract import CalibrateFindings, InspectFindings, StepFindings
from envguard_payload.landmarks.regions import FRAMINGS
from envguard_payload.protocol import Refused
from envguard_payload.steps import calibrate
from payload_support.requests import Silent, inspected, request

BUNDLES = {kind: os.environ.get(f"ENVGUARD_TEST_{kind.upper()}_BUNDLE", "") for kind in ("hand", "pose")}
BUNDLES["face"] = os.environ.get("ENVGUARD_TEST_BUNDLE", "")


def given(variable: str) -> list[Path]:
    return [Path(part) for part in os.environ.get(variable, "").split(os.pathsep)]


PICTURES = given("ENVGUARD_TEST_PICTURES")
SHAPES = {
    "face_detector": (128, 128, 3),
    "face_landmarks_detector": (256, 256, 3),
    "face_blendshapes": (146, 2),
    "hand_detector": (192, 192, 3),
    "hand_landmarks_detector": (224, 224, 3),
    "pose_detector": (224, 224, 3),
    "pose_landmarks_detector": (256, 256, 3),
}
INSPECTED = inspected({name: (1, *shape) for name, shape in SHAPES.items()})


@unittest.skipUnless(all(BUNDLES.values()), "the bundles are not given")
class Calibrate(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_step(
        self, model: str | Path, inputs: dict[str, Path | list[Path]], known: InspectFindings = INSPECTED
    ) -> CalibrateFindings:
        path = model if isinstance(model, Path) else Path(BUNDLES[model])
        order = request("steps.calibrate", self.folder, {"model": path, **inputs}, inspected=known)
        result: StepFindings = calibrate.run(order, Silent())
        assert isinstance(result.values, CalibrateFindings)
        self.assertEqual(set(result.files), {"calibration", "held_out"})
        return result.values

    def arrays(self, name: str = "calibration") -> dict[str, np.ndarray]:
        """What the step that was run last handed on."""
        with np.load(self.folder / f"{name}.npz") as file:
            return {model: file[model] for model in file.files}

    def test_each_model_of_a_bundle_gets_inputs_of_its_own_kind(self) -> None:
        pictures = {
            "face": PICTURES[0],
            "hand": given("ENVGUARD_TEST_HANDS")[0],
            "pose": given("ENVGUARD_TEST_PEOPLE")[0],
        }
        for kind, picture in pictures.items():
            with self.subTest(kind):
                values = self.run_step(kind, {kind: picture})
                arrays = self.arrays()
                shapes = {name: shape for name, shape in SHAPES.items() if name.startswith(kind)}
                self.assertEqual({name: array.shape[1:] for name, array in arrays.items()}, shapes)
                self.assertEqual(arrays[f"{kind}_landmarks_detector"].dtype, np.uint8)
                self.assertEqual(values.inputs[f"{kind}_landmarks_detector"] % len(FRAMINGS), 0)

    def test_what_is_held_out_comes_from_pictures_that_calibration_does_not_see(self) -> None:
        first, second = PICTURES[:2]
        values = self.run_step("face", {"face": first, "face_held_out": second})
        self.assertEqual(values.held_out["face_landmarks_detector"], 12)
        alone = self.run_step("face", {"own": first})
        self.assertEqual(alone.inputs, values.inputs)
        self.assertEqual(alone.held_out, {}, "one view is all that there is to calibrate with")

    def test_a_model_that_is_dropped_gets_no_inputs(self) -> None:
        rest = inspected({name: (1, *shape) for name, shape in SHAPES.items() if name != "face_detector"})
        values = self.run_step("face", {"face": PICTURES[0]}, rest)
        self.assertEqual(values.inputs.keys(), {"face_landmarks_detector", "face_blendshapes"})

    def test_every_fourth_view_of_a_users_pictures_is_held_out(self) -> None:
        values = self.run_step("face", {"own": PICTURES[:4]})
        self.assertEqual(values.inputs["face_detector"], 3 * 12)
        self.assertEqual(values.held_out["face_detector"], 12)

    def test_of_many_rows_of_an_array_every_fifth_is_held_out(self) -> None:
        rows = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((10, 146, 2), np.float32)
        np.save(self.folder / "given.npy", rows)
        self.run_step(self.bare("face_blendshapes"), {"own": self.folder / "given.npy"})
        shown, apart = (self.arrays(name)["face_blendshapes"][:, 0, 0].tolist() for name in ("calibration", "held_out"))
        self.assertEqual(apart, [4, 9])
        self.assertEqual(shown, [0, 1, 2, 3, 5, 6, 7, 8])

    def test_a_users_arrays_are_taken_as_they_are_and_no_pictures_beside_them(self) -> None:
        path = self.folder / "given.npz"
        np.savez(path, face_blendshapes=np.random.default_rng(0).random((3, 146, 2), np.float32))
        self.assertEqual(self.run_step("face", {"own": path}).inputs, {"face_blendshapes": 3})

    def test_a_bare_model_gets_the_users_pictures_whole(self) -> None:
        known = inspected({"face_detector": (1, 32, 48, 3)})
        self.run_step(self.bare("face_detector"), {"own": PICTURES[0]}, known)
        self.assertEqual(self.arrays()["face_detector"].shape, (12, 32, 48, 3))

    def test_a_number_is_no_array_to_calibrate_with(self) -> None:
        np.save(self.folder / "given.npy", np.float32(1.0))
        with self.assertRaisesRegex(Refused, "given.npy"):
            self.run_step("face", {"own": self.folder / "given.npy"})

    def test_without_pictures_it_refuses(self) -> None:
        with self.assertRaises(Refused):
            self.run_step("face", {})

    def bare(self, name: str) -> Path:
        """A model of the face bundle in a file of its own."""
        path = self.folder / f"{name}.tflite"
        with zipfile.ZipFile(BUNDLES["face"]) as bundle:
            path.write_bytes(bundle.read(f"{name}.tflite"))
        return path


if __name__ == "__main__":
    unittest.main()
