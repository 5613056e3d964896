"""The verify step on the real bundle and real pictures.

ENVGUARD_TEST_BUNDLE is the path of face_landmarker.task, ENVGUARD_TEST_PICTURES a folder of pictures or their paths
with the path separator between them.
"""

from __future__ import annotations

import os
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from envguard_payload.files import bundle as bundles
from envguard_payload.landmarks.comparison import Subject
from envguard_payload.landmarks.kinds import Kind
from envguard_payload.protocol import Refused, Result
from envguard_payload.steps import verify
from payload_support.requests import Silent, inspected, request
from PIL import Image

BUNDLE = os.environ.get("ENVGUARD_TEST_BUNDLE", "")
PICTURES = os.environ.get("ENVGUARD_TEST_PICTURES", "")
LIMITS = {"max_landmark_px": 1.1, "max_blendshape": 0.02, "max_faces_lost": 0.01}
PICTURES_PER_RUN = 3
CROPS = {"face": 256, "hand": 224, "pose": 256}
INSPECTED = inspected({f"{kind}_landmarks_detector": (1, side, side, 3) for kind, side in CROPS.items()})


def given_pictures() -> list[Path]:
    parts = [Path(part) for part in PICTURES.split(os.pathsep)]
    files = sorted(parts[0].iterdir()) if len(parts) == 1 and parts[0].is_dir() else parts
    return files[:PICTURES_PER_RUN]


def middle(data: bytes) -> slice:
    """A twentieth of a model file that lies inside one buffer of weights, in both models that are changed here."""
    return slice(len(data) // 2 & ~1, len(data) * 11 // 20 & ~1)


def halved_weights(data: bytes, *, every: int = 1) -> bytes:
    """The model with every n-th float16 weight of its middle halved."""
    changed = bytearray(data)
    weights = np.frombuffer(changed, dtype=np.float16)[middle(data).start // 2 : middle(data).stop // 2]
    weights[::every] *= np.float16(0.5)
    return bytes(changed)


def zeroed_weights(data: bytes) -> bytes:
    """The model with the weights of its middle set to zero."""
    part = middle(data)
    return data[: part.start] + bytes(part.stop - part.start) + data[part.stop :]


def failure_names(result: Result) -> list[str]:
    return [failure.name for failure in result.failures]


@unittest.skipUnless(BUNDLE and PICTURES, "ENVGUARD_TEST_BUNDLE and ENVGUARD_TEST_PICTURES are not set")
class VerifyStep(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.original = Path(BUNDLE)

    def verify(
        self,
        quantized: Path,
        *,
        original: Path | None = None,
        pictures: list[Path] | None = None,
        options: Mapping[str, float] = LIMITS,
    ) -> Result:
        pictures = given_pictures() if pictures is None else pictures
        inputs = {"original": original or self.original, "quantized": quantized, "picture": pictures}
        result: Result = verify.run(request("steps.verify", self.folder, inputs, options, INSPECTED), Silent())
        return result

    def changed_bundle(self, model: str, data: bytes | None) -> Path:
        """The bundle with other bytes for one model, or without it."""
        whole = bundles.read(self.original)
        changed = whole.without([model]) if data is None else whole.replaced({model: data})
        path = self.folder / "changed.task"
        path.write_bytes(changed.to_bytes())
        return path

    def model(self, name: str) -> bytes:
        models = {model.name: bytes(model.data) for model in bundles.read(self.original).models()}
        return models[name]

    def test_the_original_does_not_differ_from_itself(self) -> None:
        result = self.verify(self.original)
        values = result.values
        self.assertEqual(result.failures, ())
        self.assertTrue(values["verified"])
        self.assertGreaterEqual(values["faces"]["before"], len(given_pictures()))
        self.assertEqual(values["faces"]["after"], values["faces"]["before"])
        self.assertEqual((values["faces"]["lost"], values["faces"]["extra"]), (0, 0))
        self.assertEqual(values["landmark_shift"]["px_256"], {"mean": 0.0, "p95": 0.0, "max": 0.0})
        self.assertEqual(values["landmark_shift"]["inter_ocular"], {"mean": 0.0})
        self.assertEqual(values["blendshapes"], {"mean_abs": 0.0, "max": 0.0})
        self.assertAlmostEqual(values["latency"]["ratio"], 1.0, delta=0.5)

    def test_noise_that_nobody_sees_moves_the_original_a_little(self) -> None:
        floor = self.verify(self.original).values["noise_floor"]
        self.assertGreater(floor["landmark_shift"]["px_256"]["mean"], 0.0)
        self.assertLess(floor["landmark_shift"]["px_256"]["mean"], 1.1)

    def test_the_measurement_is_the_same_twice(self) -> None:
        bundle = self.changed_bundle(
            "face_landmarks_detector", halved_weights(self.model("face_landmarks_detector"), every=500)
        )
        first, second = (dict(self.verify(bundle).values) for _ in range(2))
        del first["latency"], second["latency"]
        self.assertEqual(first, second)

    def test_slightly_changed_weights_are_measured_and_judged_by_the_limits(self) -> None:
        bundle = self.changed_bundle(
            "face_landmarks_detector", halved_weights(self.model("face_landmarks_detector"), every=500)
        )
        shift = self.verify(bundle).values["landmark_shift"]["px_256"]["mean"]
        self.assertGreater(shift, 0.0)
        strict = self.verify(bundle, options={**LIMITS, "max_landmark_px": shift / 2})
        self.assertIn("landmark-shift", failure_names(strict))
        self.assertNotIn(
            "landmark-shift", failure_names(self.verify(bundle, options={**LIMITS, "max_landmark_px": 99}))
        )

    def test_ruined_weights_fail_by_name(self) -> None:
        ruined = self.changed_bundle("face_landmarks_detector", zeroed_weights(self.model("face_landmarks_detector")))
        names = failure_names(self.verify(ruined))
        self.assertTrue({"faces-lost", "landmark-shift"} & set(names), names)

    def test_a_ruined_detector_loses_the_faces(self) -> None:
        ruined = self.changed_bundle("face_detector", zeroed_weights(self.model("face_detector")))
        self.assertIn("faces-lost", failure_names(self.verify(ruined)))

    def test_extra_faces_are_judged_only_by_a_limit_of_their_own(self) -> None:
        values = {"faces": {"before": 100, "lost": 0, "extra": 2}, "landmark_shift": None, "blendshapes": None}
        subject = Subject(Kind.FACE, CROPS["face"])
        unlimited, limited = verify.Limits(1.0, 0.0), verify.Limits(1.0, 0.0, extra=0.01)
        self.assertEqual(verify.judge(subject, values, unlimited), ())
        self.assertEqual([failure.name for failure in verify.judge(subject, values, limited)], ["faces-extra"])

    def test_a_bundle_without_blendshapes_is_verified_without_them(self) -> None:
        result = self.verify(self.changed_bundle("face_blendshapes", None))
        self.assertEqual(result.failures, ())
        self.assertIsNone(result.values["blendshapes"])
        self.assertEqual(result.values["faces"]["lost"], 0)

    def test_a_model_that_mediapipe_rejects_fails_with_its_own_words(self) -> None:
        cut = self.changed_bundle("face_landmarks_detector", self.model("face_landmarks_detector")[:100_000])
        result = self.verify(cut)
        self.assertEqual(failure_names(result), ["mediapipe-rejects"])
        self.assertIn("The model is not a valid Flatbuffer buffer", result.failures[0].message)
        self.assertFalse(result.values["verified"])

    def test_a_bundle_without_its_detector_is_no_landmarker_any_more(self) -> None:
        result = self.verify(self.changed_bundle("face_detector", None))
        self.assertEqual(failure_names(result), ["mediapipe-rejects"])
        self.assertFalse(result.values["verified"])

    def test_an_original_that_mediapipe_rejects_is_refused(self) -> None:
        cut = self.changed_bundle("face_landmarks_detector", self.model("face_landmarks_detector")[:100_000])
        with self.assertRaises(Refused) as caught:
            self.verify(self.original, original=cut)
        self.assertIn("original", caught.exception.what)
        self.assertIn("not a valid Flatbuffer", caught.exception.why)

    def test_a_bare_model_is_said_not_to_be_verified(self) -> None:
        bare = self.folder / "face_detector.tflite"
        bare.write_bytes(self.model("face_detector"))
        result = self.verify(bare, original=bare)
        self.assertEqual(result.failures, ())
        self.assertFalse(result.values["verified"])
        self.assertIn(".task", result.values["reason"])

    def test_no_picture_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "no picture"):
            self.verify(self.original, pictures=[])

    def test_pictures_without_a_face_are_refused(self) -> None:
        wall = self.folder / "wall.png"
        Image.new("RGB", (400, 400), (120, 130, 140)).save(wall)
        with self.assertRaisesRegex(Refused, "no face"):
            self.verify(self.original, pictures=[wall])

    def test_a_small_face_is_found_in_a_tile(self) -> None:
        face = Image.open(given_pictures()[0]).convert("RGB")
        face.thumbnail((260, 260))
        scene = Image.new("RGB", (1_200, 1_200), (90, 110, 130))
        scene.paste(face, (50, 700))
        path = self.folder / "scene.png"
        scene.save(path)
        values = self.verify(self.original, pictures=[path]).values
        self.assertGreaterEqual(values["faces"]["before"], values["faces"]["images"] // 2)
        self.assertEqual(values["faces"]["lost"], 0)
