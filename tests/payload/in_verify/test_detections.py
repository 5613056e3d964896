"""The arithmetic of landmark shift, score difference and matching, on values with known answers."""

from __future__ import annotations

import math
import unittest

import numpy as np
from envguard_payload.landmarks.detections import Detection, match, overlap
from envguard_payload.landmarks.differences import Difference, difference
from envguard_payload.landmarks.face import FACE, OUTER_EYE_CORNERS
from envguard_payload.landmarks.hand import HAND, MIDDLE_MCP, WRIST
from envguard_payload.landmarks.pose import HIPS, POSE, SHOULDERS

SIDE = 256


def face(*, left: float = 100.0, top: float = 100.0, width: float = 120.0, height: float = 160.0) -> Detection:
    """478 landmarks on a box's diagonal, the outer eye corners 60 pixels apart on its horizontal middle."""
    along = np.linspace(0.0, 1.0, 478)
    landmarks = np.stack([left + along * width, top + along * height], axis=1)
    right_eye, left_eye = OUTER_EYE_CORNERS
    landmarks[right_eye] = left + 30.0, top + 80.0
    landmarks[left_eye] = left + 90.0, top + 80.0
    return Detection(landmarks, np.full(52, 0.25))


def faces_apart(before: Detection, after: Detection) -> Difference:
    return difference(FACE.anatomy, before, after, SIDE)


class Shift(unittest.TestCase):
    def test_a_face_does_not_differ_from_itself(self) -> None:
        itself = faces_apart(face(), face())
        self.assertEqual((itself.crop_px, itself.relative, itself.scores), (0.0, 0.0, (0.0, 0.0)))

    def test_a_shift_is_scaled_to_the_crop_and_to_the_distance_of_the_eyes(self) -> None:
        shift = faces_apart(face(), Detection(face().landmarks + np.array([3.0, 4.0])))
        self.assertAlmostEqual(shift.crop_px, 5.0 * SIDE / 240)
        self.assertAlmostEqual(shift.relative, 5.0 / 60.0)

    def test_a_shift_does_not_depend_on_the_size_of_the_picture(self) -> None:
        small, large = face(), Detection(face().landmarks * 7.0)
        one = faces_apart(small, Detection(small.landmarks + 1.0))
        other = faces_apart(large, Detection(large.landmarks + 7.0))
        self.assertAlmostEqual(one.crop_px, other.crop_px)
        self.assertAlmostEqual(one.relative, other.relative)

    def test_landmarks_that_move_apart_do_not_cancel_out(self) -> None:
        away = face().landmarks.copy()
        away[0::2, 0] += 2.0
        away[1::2, 0] -= 2.0
        self.assertAlmostEqual(faces_apart(face(), Detection(away)).crop_px, 2.0 * SIDE / 240)

    def test_a_hands_shift_is_relative_to_its_palm_and_a_bodys_to_its_torso(self) -> None:
        hand, body = np.zeros((21, 2)), np.zeros((33, 2))
        hand[MIDDLE_MCP] = hand[WRIST] + (0.0, -50.0)
        body[list(SHOULDERS)] = [(-30.0, -200.0), (30.0, -200.0)]
        body[list(HIPS)] = [(-20.0, 0.0), (20.0, 0.0)]
        for kind, points, length in ((HAND, hand, 50.0), (POSE, body, 200.0)):
            shift = difference(kind.anatomy, Detection(points), Detection(points + 1.0), 224)
            self.assertAlmostEqual(shift.relative, math.sqrt(2.0) / length)
            self.assertAlmostEqual(shift.crop_px, math.sqrt(2.0) * 224 / kind.anatomy.region(points).side)

    def test_world_landmarks_are_measured_in_millimetres(self) -> None:
        world = np.zeros((478, 3))
        before, after = (Detection(face().landmarks, world=each) for each in (world, world + (0.003, 0.0, 0.004)))
        self.assertAlmostEqual(faces_apart(before, after).world_mm or 0.0, 5.0)
        self.assertIsNone(faces_apart(before, face()).world_mm)

    def test_a_hand_that_changes_its_side_is_said_to_be_flipped(self) -> None:
        left, right = (Detection(face().landmarks, side=side) for side in ("Left", "Right"))
        self.assertTrue(faces_apart(left, right).flipped)
        self.assertFalse(faces_apart(left, left).flipped)


class Scores(unittest.TestCase):
    def test_the_mean_and_the_largest_difference_are_absolute(self) -> None:
        scores = np.full(52, 0.25)
        scores[0], scores[1] = 0.15, 0.55
        measured = faces_apart(face(), Detection(face().landmarks, scores)).scores
        assert measured is not None
        self.assertAlmostEqual(measured[0], (0.1 + 0.3) / 52)
        self.assertAlmostEqual(measured[1], 0.3)

    def test_without_scores_on_one_side_nothing_is_claimed(self) -> None:
        self.assertIsNone(faces_apart(face(), Detection(face().landmarks)).scores)
        self.assertIsNone(faces_apart(Detection(face().landmarks), face()).scores)

    def test_a_score_that_is_no_number_counts_as_wholly_wrong(self) -> None:
        scores = np.full(52, 0.25)
        scores[7] = math.nan
        measured = faces_apart(face(), Detection(face().landmarks, scores)).scores
        assert measured is not None
        self.assertAlmostEqual(measured[0], 1.0 / 52)
        self.assertEqual(measured[1], 1.0)


class Matching(unittest.TestCase):
    def test_overlap_of_boxes(self) -> None:
        self.assertAlmostEqual(overlap(face(), face()), 1.0)
        self.assertAlmostEqual(overlap(face(), face(left=160.0)), 1 / 3)
        self.assertEqual(overlap(face(), face(left=1_000.0)), 0.0)

    def test_faces_are_matched_by_place_not_by_order(self) -> None:
        here, there = face(), face(left=400.0)
        matching = match([here, there], [there, here])
        self.assertEqual([(one is other) for one, other in matching.pairs], [True, True])
        self.assertEqual((matching.lost, matching.extra), (0, 0))

    def test_each_face_is_matched_once_and_to_the_nearest(self) -> None:
        one, near, far = face(), face(left=102.0), face(left=130.0)
        matching = match([one], [far, near])
        self.assertIs(matching.pairs[0][1], near)
        self.assertEqual((matching.lost, matching.extra), (0, 1))

    def test_lost_and_extra_faces_are_counted_apart(self) -> None:
        matching = match([face(), face(left=400.0)], [face(left=800.0)])
        self.assertEqual((len(matching.pairs), matching.lost, matching.extra), (0, 2, 1))

    def test_landmarks_that_are_no_numbers_match_nothing(self) -> None:
        broken = Detection(np.full((478, 2), math.nan))
        matching = match([face()], [broken])
        self.assertEqual((matching.lost, matching.extra), (1, 1))
