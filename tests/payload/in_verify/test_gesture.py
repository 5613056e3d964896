"""The kind `gesture`: which bundles are of it, how MediaPipe's answers are read, and what counts as another gesture."""

from __future__ import annotations

import io
import tempfile
import unittest
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from envguard_payload.contract import Measures
from envguard_payload.files import bundle as bundles
from envguard_payload.landmarks.comparison import ComparedImage, Subject
from envguard_payload.landmarks.detections import Detection, Reading
from envguard_payload.landmarks.gates import judged
from envguard_payload.landmarks.gesture import GESTURE
from envguard_payload.landmarks.kinds import kind_of
from envguard_payload.landmarks.verification import measures
from envguard_payload.landmarks.views import Picture

MODEL = b"\x1c\0\0\0TFL3" + bytes(120)
HANDS = ("hand_detector.tflite", "hand_landmarks_detector.tflite")
GESTURES = ("gesture_embedder.tflite", "canned_gesture_classifier.tflite")
LIMITS = {
    "max_hands_lost": 0.0,
    "max_hands_extra": None,
    "max_hands_flipped": 0.0,
    "max_hand_px": 2.0,
    "max_gestures_changed": 0.25,
    "max_gesture_score": 0.05,
}


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True)
class Category:
    category_name: str
    score: float


@dataclass(frozen=True)
class Result:
    gestures: list[list[Category]]
    handedness: list[list[Category]]
    hand_landmarks: list[list[Point]]
    hand_world_landmarks: list[list[Point]]


POINTS = [Point(0.3 + 0.02 * number, 0.2 + 0.01 * number) for number in range(21)]


def hand(gesture: str, score: float) -> Detection:
    return Detection(
        np.array([(200 * point.x, 100 * point.y) for point in POINTS]), np.array([score]), category=gesture
    )


def measured(*pairs: tuple[Detection, Detection]) -> Measures:
    picture = Picture("one", np.zeros((100, 200, 3), np.uint8))
    subject = Subject(GESTURE, 224)
    return measures(
        subject,
        [ComparedImage.of(subject, picture, Reading((one,), 0.1), Reading((other,), 0.1)) for one, other in pairs],
    )


class Recognizers(unittest.TestCase):
    def read(self, data: bytes) -> bundles.Bundle:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "input.task"
        path.write_bytes(data)
        return bundles.read(path)

    def test_a_bundle_of_a_hand_landmarker_and_a_recognizer_is_of_the_kind(self) -> None:
        hands = zipped(**dict.fromkeys(HANDS, MODEL))
        both = {"hand_landmarker.task": hands, "hand_gesture_recognizer.task": zipped(**dict.fromkeys(GESTURES, MODEL))}
        source = self.read(zipped(**both))
        self.assertIs(kind_of(source), GESTURE)
        self.assertEqual(
            set(GESTURE.members_of(source)),
            {
                "hand_landmarker/hand_detector",
                "hand_landmarker/hand_landmarks_detector",
                "hand_gesture_recognizer/gesture_embedder",
                "hand_gesture_recognizer/canned_gesture_classifier",
            },
        )
        self.assertIsNone(kind_of(self.read(zipped(**{"hand_landmarker.task": hands}))))

    def test_its_pictures_are_those_of_hands(self) -> None:
        self.assertEqual((GESTURE.samples, GESTURE.held_out_samples), ("hand", "hand_held_out"))

    def test_each_hand_is_read_with_its_gesture(self) -> None:
        result = Result([[Category("Victory", 0.75)], []], [[Category("Left", 1.0)]] * 2, [POINTS] * 2, [POINTS] * 2)
        one, other = GESTURE.task.read(result, np.array([200.0, 100.0]))
        assert one.scores is not None
        self.assertEqual((one.category, one.scores.tolist(), one.side), ("Victory", [0.75], "Left"))
        self.assertEqual((other.category, other.scores), ("", None))
        np.testing.assert_allclose(one.landmarks[1], [64.0, 21.0])

    def test_the_embedder_is_given_the_hand_relative_to_its_wrist_and_size(self) -> None:
        result = Result([[]], [[Category("Right", 0.75)]], [POINTS], [POINTS])
        (found,) = GESTURE.task.read(result, np.array([200.0, 100.0]))
        picture, left, space = found.features
        # The hand is twenty steps wide, each 0.02 of the width; a step down is 0.01 of the height, which is half of it.
        np.testing.assert_allclose(picture[20], [1.0, 0.25, 0.0], atol=1e-3)
        np.testing.assert_allclose(space[20], [1.0, 0.5, 0.0], atol=1e-3)
        np.testing.assert_array_equal(picture[0], [0.0, 0.0, 0.0])
        self.assertEqual(left.tolist(), [0.25])

    def test_another_gesture_is_counted_and_its_score_not_compared(self) -> None:
        found = measured(
            (hand("Victory", 0.9), hand("Victory", 0.8)),
            (hand("None", 0.7), hand("None", 0.7)),
            (hand("Victory", 0.9), hand("Thumb_Up", 0.1)),
        )
        assert found.scores is not None
        self.assertEqual((found.counts.changed, found.counts.flipped), (1, 0))
        self.assertAlmostEqual(found.scores.mean_abs, 0.05)
        failed = [gate for gate in judged(GESTURE.gates, found, {**LIMITS, "max_gesture_score": 0.04}) if gate.failed]
        self.assertEqual([gate.name for gate in failed], ["gestures-changed", "gesture-shift"])
        self.assertEqual(failed[0].detail, "1 of 3")

    def test_the_same_gestures_pass(self) -> None:
        same = measured((hand("Victory", 0.9), hand("Victory", 0.9)))
        self.assertTrue(all(gate.passed for gate in judged(GESTURE.gates, same, LIMITS)))

    def test_a_score_that_is_no_number_is_as_wrong_as_can_be(self) -> None:
        found = measured((hand("Victory", 0.9), replace(hand("Victory", 0.9), scores=np.array([np.nan]))))
        assert found.scores is not None
        self.assertEqual(found.scores.mean_abs, 1.0)


if __name__ == "__main__":
    unittest.main()
