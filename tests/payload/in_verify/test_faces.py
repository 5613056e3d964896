"""The arithmetic of landmark shift, blendshape difference and matching, on values with known answers."""

from __future__ import annotations

import math
import unittest

import numpy as np
from envguard_payload.faces import OUTER_EYE_CORNERS, Face, difference, match, overlap


def face(*, left: float = 100.0, top: float = 100.0, width: float = 120.0, height: float = 160.0) -> Face:
    """478 landmarks on a box's diagonal, the outer eye corners 60 pixels apart on its horizontal middle."""
    along = np.linspace(0.0, 1.0, 478)
    landmarks = np.stack([left + along * width, top + along * height], axis=1)
    right_eye, left_eye = OUTER_EYE_CORNERS
    landmarks[right_eye] = left + 30.0, top + 80.0
    landmarks[left_eye] = left + 90.0, top + 80.0
    return Face(landmarks, np.full(52, 0.25))


class Shift(unittest.TestCase):
    def test_the_region_of_interest_is_one_and_a_half_times_the_longer_side(self) -> None:
        self.assertAlmostEqual(face(width=120.0, height=160.0).roi_side(), 240.0)
        self.assertAlmostEqual(face(width=300.0, height=160.0).roi_side(), 450.0)

    def test_a_face_does_not_differ_from_itself(self) -> None:
        itself = difference(face(), face())
        self.assertEqual((itself.px_256, itself.inter_ocular, itself.blendshapes), (0.0, 0.0, (0.0, 0.0)))

    def test_a_shift_is_scaled_to_the_crop_and_to_the_distance_of_the_eyes(self) -> None:
        moved = Face(face().landmarks + np.array([3.0, 4.0]))
        shift = difference(face(), moved)
        self.assertAlmostEqual(shift.px_256, 5.0 * 256 / 240)
        self.assertAlmostEqual(shift.inter_ocular, 5.0 / 60.0)

    def test_a_shift_does_not_depend_on_the_size_of_the_picture(self) -> None:
        small, large = face(), Face(face().landmarks * 7.0)
        one = difference(small, Face(small.landmarks + 1.0))
        other = difference(large, Face(large.landmarks + 7.0))
        self.assertAlmostEqual(one.px_256, other.px_256)
        self.assertAlmostEqual(one.inter_ocular, other.inter_ocular)

    def test_landmarks_that_move_apart_do_not_cancel_out(self) -> None:
        away = face().landmarks.copy()
        away[0::2, 0] += 2.0
        away[1::2, 0] -= 2.0
        self.assertAlmostEqual(difference(face(), Face(away)).px_256, 2.0 * 256 / 240)


class Blendshapes(unittest.TestCase):
    def test_the_mean_and_the_largest_difference_are_absolute(self) -> None:
        scores = np.full(52, 0.25)
        scores[0], scores[1] = 0.15, 0.55
        measured = difference(face(), Face(face().landmarks, scores)).blendshapes
        assert measured is not None
        self.assertAlmostEqual(measured[0], (0.1 + 0.3) / 52)
        self.assertAlmostEqual(measured[1], 0.3)

    def test_without_scores_on_one_side_nothing_is_claimed(self) -> None:
        self.assertIsNone(difference(face(), Face(face().landmarks)).blendshapes)
        self.assertIsNone(difference(Face(face().landmarks), face()).blendshapes)

    def test_a_score_that_is_no_number_counts_as_wholly_wrong(self) -> None:
        scores = np.full(52, 0.25)
        scores[7] = math.nan
        measured = difference(face(), Face(face().landmarks, scores)).blendshapes
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
        broken = Face(np.full((478, 2), math.nan))
        matching = match([face()], [broken])
        self.assertEqual((matching.lost, matching.extra), (1, 1))
