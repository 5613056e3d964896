"""Pictures, their tiles and their changes: the same every time, and never more than a step can bear."""

from __future__ import annotations

import unittest

import numpy as np
from envguard_payload.landmarks import views
from envguard_payload.landmarks.views import CHANGES, Change, Picture, changed, tiles, with_noise


def picture(height: int = 60, width: int = 80) -> Picture:
    rows, columns = np.mgrid[0:height, 0:width]
    return Picture("made", np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=2).astype(np.uint8))


class Changes(unittest.TestCase):
    def test_every_change_gives_the_same_bytes_twice_and_leaves_the_picture_as_it_was(self) -> None:
        original = picture()
        before = original.pixels.copy()
        for change in CHANGES:
            with self.subTest(change.name):
                once, twice = change.apply(original), change.apply(original)
                np.testing.assert_array_equal(once.pixels, twice.pixels)
                self.assertEqual(once.pixels.dtype, np.uint8)
                self.assertTrue(once.pixels.flags.c_contiguous)
        np.testing.assert_array_equal(original.pixels, before)

    def test_all_changes_differ(self) -> None:
        images = {change.apply(picture()).pixels.tobytes() for change in CHANGES}
        self.assertEqual(len(images), len(CHANGES))

    def test_mirroring_twice_gives_the_picture_back(self) -> None:
        mirror = Change("mirrored", flip=True)
        np.testing.assert_array_equal(mirror.apply(mirror.apply(picture())).pixels, picture().pixels)

    def test_gain_brightens_and_stops_at_white(self) -> None:
        brighter = Change("brighter", gain=2.0).apply(Picture("made", np.full((4, 4, 3), 200, np.uint8)))
        self.assertEqual(int(brighter.pixels.min()), 255)

    def test_scale_and_crop_change_the_size(self) -> None:
        self.assertEqual(Change("", scale=0.5).apply(picture(60, 80)).pixels.shape, (30, 40, 3))
        self.assertEqual(Change("", keep=0.5).apply(picture(60, 80)).pixels.shape, (30, 40, 3))

    def test_all_pictures_come_unchanged_before_any_changed_one_and_no_more_than_asked_for(self) -> None:
        names = [image.name for image in changed([Picture("a", picture().pixels), Picture("b", picture().pixels)], 3)]
        self.assertEqual(names, ["a", "b", f"a ({CHANGES[1].name})"])

    def test_noise_is_seeded_and_as_strong_as_said(self) -> None:
        grey = Picture("grey", np.full((200, 200, 3), 128, np.uint8))
        once, twice = with_noise(grey, 2.0), with_noise(grey, 2.0)
        np.testing.assert_array_equal(once.pixels, twice.pixels)
        self.assertAlmostEqual(float(once.pixels.astype(float).std()), 2.0, delta=0.1)


class Tiles(unittest.TestCase):
    def test_the_tiles_of_each_size_cover_the_picture_and_say_where_they_are(self) -> None:
        for height, width in ((400, 600), (401, 977), (1_280, 300)):
            whole = picture(height, width)
            covered: dict[tuple[int, ...], np.ndarray] = {}
            for tile, (left, top) in tiles(whole):
                rows, columns = slice(top, top + tile.pixels.shape[0]), slice(left, left + tile.pixels.shape[1])
                np.testing.assert_array_equal(tile.pixels, whole.pixels[rows, columns])
                covered.setdefault(tile.pixels.shape, np.zeros((height, width), bool))[rows, columns] = True
            self.assertEqual(len(covered), len(views.TILE_GRIDS))
            self.assertTrue(all(seen.all() for seen in covered.values()))

    def test_a_small_picture_has_none(self) -> None:
        self.assertEqual(list(tiles(picture(100, 100))), [])
