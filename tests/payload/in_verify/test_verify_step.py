"""The verify step on the real bundle and real pictures.

ENVGUARD_TEST_BUNDLE is the path of face_landmarker.task, ENVGUARD_TEST_PICTURES a folder of pictures or their paths
with the path separator between them.
"""

from __future__ import annotations

import os
import tempfile
import unittest
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from envguard_payload.contract import Counts, Measures, Spread, StepFindings, VerifyFindings
from envguard_payload.files import bundle as bundles
from envguard_payload.gates import limits_of
from envguard_payload.landmarks.face import FACE
from envguard_payload.landmarks.gates import judged
from envguard_payload.protocol import Refused
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


def found(result: StepFindings) -> VerifyFindings:
    assert isinstance(result.values, VerifyFindings)
    return result.values


def measures(result: StepFindings) -> Measures:
    measured = found(result).measures
    assert measured is not None
    return measured


def mean_shift(measured: Measures) -> float:
    assert measured.landmark_shift is not None
    return float(measured.landmark_shift.px.mean)


def limits(**options: float) -> Mapping[str, float | None]:
    found: Mapping[str, float | None] = limits_of(verify.GATES, request("steps.verify", Path(), {}, options), {})
    return found


def failure_names(result: StepFindings) -> list[str]:
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
    ) -> StepFindings:
        pictures = given_pictures() if pictures is None else pictures
        inputs = {"original": original or self.original, "quantized": quantized, "picture": pictures}
        result: StepFindings = verify.run(request("steps.verify", self.folder, inputs, options, INSPECTED), Silent())
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
        counts, shift, scores = measures(result).counts, measures(result).landmark_shift, measures(result).scores
        assert shift is not None
        assert scores is not None
        self.assertEqual(result.failures, ())
        self.assertTrue(found(result).verified)
        self.assertEqual(counts.things, "faces")
        self.assertGreaterEqual(counts.before, len(given_pictures()))
        self.assertEqual(counts.after, counts.before)
        self.assertEqual((counts.lost, counts.extra, counts.flipped), (0, 0, None))
        self.assertEqual((shift.crop_side, shift.px), (256, Spread(0.0, 0.0, 0.0)))
        self.assertEqual((shift.measure, shift.relative), ("inter_ocular", 0.0))
        self.assertEqual((scores.name, scores.mean_abs, scores.max), ("blendshapes", 0.0, 0.0))
        self.assertIsNone(measures(result).world_mm)
        latency = found(result).latency
        assert latency is not None
        self.assertAlmostEqual(latency.ratio, 1.0, delta=0.5)

    def test_every_gate_is_there_with_what_was_measured_and_its_limit(self) -> None:
        gates = {gate.name: gate for gate in self.verify(self.original).gates}
        self.assertEqual(list(gates), ["mediapipe-rejects", "faces-lost", "landmark-shift", "blendshape-shift"])
        self.assertTrue(all(gate.passed for gate in gates.values()))
        self.assertEqual((gates["landmark-shift"].measured, gates["landmark-shift"].limit), (0.0, 1.1))
        self.assertRegex(gates["faces-lost"].detail, "0 of [0-9]+")

    def test_noise_that_nobody_sees_moves_the_original_a_little(self) -> None:
        noise = found(self.verify(self.original)).noise
        assert noise is not None
        self.assertGreater(mean_shift(noise), 0.0)
        self.assertLess(mean_shift(noise), 1.1)

    def test_the_measurement_is_the_same_twice(self) -> None:
        bundle = self.changed_bundle(
            "face_landmarks_detector", halved_weights(self.model("face_landmarks_detector"), every=500)
        )
        first, second = (replace(found(self.verify(bundle)), latency=None, roads=()) for _ in range(2))
        self.assertEqual(first, second)

    def test_slightly_changed_weights_are_measured_and_judged_by_the_limits(self) -> None:
        bundle = self.changed_bundle(
            "face_landmarks_detector", halved_weights(self.model("face_landmarks_detector"), every=500)
        )
        shift = mean_shift(measures(self.verify(bundle)))
        self.assertGreater(shift, 0.0)
        strict = self.verify(bundle, options={**LIMITS, "max_landmark_px": shift / 2})
        self.assertIn("landmark-shift", failure_names(strict))
        self.assertNotIn(
            "landmark-shift", failure_names(self.verify(bundle, options={**LIMITS, "max_landmark_px": 99}))
        )

    def test_ruined_weights_fail_by_name_and_blame_their_model(self) -> None:
        ruined = self.changed_bundle("face_landmarks_detector", zeroed_weights(self.model("face_landmarks_detector")))
        failures = {gate.name: gate.models for gate in self.verify(ruined).failures}
        known = {
            "faces-lost": ("face_detector", "face_landmarks_detector"),
            "landmark-shift": ("face_landmarks_detector", "face_detector"),
        }
        self.assertTrue(known.keys() & failures.keys(), failures)
        self.assertTrue(all(failures.get(name, models) == models for name, models in known.items()), failures)

    def test_a_ruined_detector_loses_the_faces(self) -> None:
        ruined = self.changed_bundle("face_detector", zeroed_weights(self.model("face_detector")))
        self.assertIn("faces-lost", failure_names(self.verify(ruined)))

    def test_extra_faces_are_judged_only_by_a_limit_of_their_own(self) -> None:
        counts = Measures(Counts("faces", images=100, before=100, after=102, lost=0, extra=2))
        self.assertEqual([gate.name for gate in judged(FACE.gates, counts, limits())], ["faces-lost"])
        limited = {gate.name: gate for gate in judged(FACE.gates, counts, limits(max_faces_extra=0.01))}
        self.assertFalse(limited["faces-extra"].passed)
        self.assertEqual((limited["faces-extra"].measured, limited["faces-extra"].detail), (0.02, "2 of 100"))

    def test_a_limit_that_nobody_sets_is_the_kinds_own(self) -> None:
        known = limits()
        self.assertEqual((known["max_faces_lost"], known["max_faces_extra"]), (0.005, None))

    def test_a_bundle_without_blendshapes_is_verified_without_them(self) -> None:
        result = self.verify(self.changed_bundle("face_blendshapes", None))
        self.assertEqual(result.failures, ())
        self.assertIsNone(measures(result).scores)
        self.assertEqual(measures(result).counts.lost, 0)

    def test_a_model_that_mediapipe_rejects_fails_with_its_own_words(self) -> None:
        cut = self.changed_bundle("face_landmarks_detector", self.model("face_landmarks_detector")[:100_000])
        result = self.verify(cut)
        self.assertEqual(failure_names(result), ["mediapipe-rejects"])
        self.assertIn("The model is not a valid Flatbuffer buffer", result.failures[0].message)
        self.assertFalse(found(result).verified)

    def test_a_bundle_without_its_detector_is_no_landmarker_any_more(self) -> None:
        result = self.verify(self.changed_bundle("face_detector", None))
        self.assertEqual(failure_names(result), ["mediapipe-rejects"])
        self.assertFalse(found(result).verified)

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
        self.assertFalse(found(result).verified)
        self.assertIn(".task", found(result).reason)

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
        counts = measures(self.verify(self.original, pictures=[path])).counts
        self.assertGreaterEqual(counts.before, counts.images // 2)
        self.assertEqual(counts.lost, 0)
