"""The regions that MediaPipe looks at are where its graphs put them, on hands and bodies with known answers."""

from __future__ import annotations

import math
import unittest

import numpy as np
from envguard_payload.landmarks.face import FACE, OUTER_EYE_CORNERS
from envguard_payload.landmarks.hand import EXTRA_TURN, HAND, PALM
from envguard_payload.landmarks.pose import HIPS, POSE, REACH, SHOULDERS
from envguard_payload.landmarks.regions import FRAMINGS, Region, box


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """The points turned clockwise, as a picture shows it, around the origin."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    result: np.ndarray = points @ turn.T
    return result


def hand() -> np.ndarray:
    """An upright hand, its wrist at (0, 0), its fingers up to 200 pixels above it; the palm 100 by 100 pixels."""
    points = np.zeros((21, 2))
    for finger, right in enumerate((-50.0, -25.0, 0.0, 25.0, 50.0)):
        for joint in range(4):
            points[1 + 4 * finger + joint] = right, -100.0 - 25.0 * joint
    points[1:3] = (-40.0, -30.0), (-50.0, -60.0)
    return points


def body() -> np.ndarray:
    """An upright body, its hips at (0, 0), the shoulders 200 pixels above and the feet 400 below them."""
    points = np.zeros((33, 2))
    points[list(SHOULDERS)] = [(60.0, -200.0), (-60.0, -200.0)]
    points[list(HIPS)] = [(40.0, 0.0), (-40.0, 0.0)]
    points[31:] = [(0.0, 400.0), (0.0, 390.0)]
    return points


class Regions(unittest.TestCase):
    def assert_alike(self, one: Region, other: Region) -> None:
        for name in ("x", "y", "side"):
            self.assertAlmostEqual(getattr(one, name), getattr(other, name), places=6)
        self.assertAlmostEqual((one.degrees - other.degrees + 180) % 360, 180, places=6)

    def test_a_face_is_seen_with_half_as_much_around_it(self) -> None:
        points = np.array([(100.0, 100.0), (220.0, 260.0)] + 476 * [(160.0, 180.0)])
        right, left = OUTER_EYE_CORNERS
        points[right], points[left] = (130.0, 180.0), (190.0, 180.0)
        self.assert_alike(FACE.anatomy.region(points), Region(160.0, 180.0, 240.0, 0.0))

    def test_a_detected_palm_is_seen_with_its_fingers_and_turned_on(self) -> None:
        self.assertEqual(box(hand()[list(PALM)]), (-50.0, -100.0, 50.0, 0.0))
        side, angle = 100.0, math.radians(EXTRA_TURN)
        x, y = 0.5 * side * math.sin(angle), -50.0 - 0.5 * side * math.cos(angle)
        self.assert_alike(HAND.anatomy.region(hand()), Region(x, y, 2.6 * side, EXTRA_TURN))

    def test_the_extra_turn_is_what_ninety_radians_are_too_much(self) -> None:
        self.assertAlmostEqual(math.sin(math.radians(EXTRA_TURN + 90.0)), math.sin(90.0))

    def test_a_tracked_hand_is_seen_upright_however_it_is_turned(self) -> None:
        upright = HAND.anatomy.framed(hand())[2]
        for degrees in (-135.0, 30.0, 90.0):
            region = HAND.anatomy.framed(turned(hand(), degrees))[2]
            self.assertAlmostEqual((region.degrees - upright.degrees - degrees + 180) % 360, 180, delta=1)
            self.assertAlmostEqual(region.side, upright.side, delta=1)

    def test_a_body_is_seen_around_its_hips_as_far_as_it_reaches(self) -> None:
        for degrees in (0.0, 45.0, 180.0):
            region = POSE.anatomy.region(turned(body(), degrees))
            self.assert_alike(region, Region(0.0, 0.0, 2 * 1.25 * REACH * 400.0, degrees))

    def test_there_are_three_framings_in_whole_pixels_and_degrees(self) -> None:
        for kind, points in ((HAND, hand()), (POSE, body())):
            regions = kind.anatomy.framed(points + 0.3)
            self.assertEqual(len(regions), len(FRAMINGS))
            for region in regions:
                numbers = (region.x, region.y, region.side, region.degrees)
                self.assertEqual(numbers, tuple(map(round, numbers)))


if __name__ == "__main__":
    unittest.main()
