"""What the models of a bundle are given is what MediaPipe's graphs give them."""

from __future__ import annotations

import unittest

import numpy as np
from envguard_payload.landmarks.face import blendshape_points
from envguard_payload.landmarks.model_inputs import region_input, whole_input
from envguard_payload.landmarks.regions import Region

REGION = Region(200, 150, 150, 0)
SIZE = (256, 256)


def picture(marks: dict[tuple[int, int], int]) -> np.ndarray:
    pixels = np.zeros((300, 400, 3), np.uint8)
    for (x, y), value in marks.items():
        pixels[y - 3 : y + 4, x - 3 : x + 4] = value
    return pixels


class Inputs(unittest.TestCase):
    def test_a_crop_shows_its_region(self) -> None:
        crop = region_input(picture({(200, 150): 255, (200 + 60, 150): 100}), REGION, SIZE, repeat_edge=False)
        self.assertEqual(crop.shape, (256, 256, 3))
        self.assertEqual(crop[128, 128, 0], 255)
        self.assertEqual(crop[128, 128 + round(60 * 256 / 150), 0], 100)

    def test_a_crop_is_turned_as_its_region_is(self) -> None:
        turned = Region(200, 150, 150, 90)
        crop = region_input(picture({(200, 150 + 60): 100}), turned, SIZE, repeat_edge=False)
        self.assertEqual(crop[128, 128 + round(60 * 256 / 150), 0], 100)

    def test_outside_the_picture_there_is_black_or_what_is_at_its_edge(self) -> None:
        pixels = picture({})
        pixels[:, -1] = 90
        right = Region(400, 150, 100, 0)
        for repeat_edge, value in ((False, 0), (True, 90)):
            crop = region_input(pixels, right, (64, 64), repeat_edge=repeat_edge)
            self.assertTrue((crop[:, 33:] == value).all())
            self.assertFalse(crop[:, :31].any())

    def test_the_edge_is_repeated_for_turned_regions_too(self) -> None:
        white = np.full((100, 100, 3), 255, np.uint8)
        self.assertTrue((region_input(white, Region(90, 10, 200, 33), (64, 64), repeat_edge=True) == 255).all())

    def test_the_detector_sees_the_whole_picture_between_black_bars(self) -> None:
        seen = whole_input(np.full((100, 200, 3), 255, np.uint8), (128, 128))
        self.assertEqual(seen.shape, (128, 128, 3))
        self.assertTrue((seen[33:95] == 255).all())
        self.assertFalse(seen[:31].any() or seen[97:].any())

    def test_the_blendshape_model_gets_146_points(self) -> None:
        self.assertEqual(blendshape_points(np.zeros((478, 2))).shape, (146, 2))


if __name__ == "__main__":
    unittest.main()
