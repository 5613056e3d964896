"""Pictures, their tiles and their changes: the same every time, and never more than a step can bear."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
from envguard_payload.landmarks import views
from envguard_payload.landmarks.views import CHANGES, Change, Picture, changed, read_picture, tiles, with_noise
from envguard_payload.protocol import Refused
from PIL import Image


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


class Reading(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_colours_arrive_as_red_green_blue(self) -> None:
        path = self.folder / "red.png"
        Image.new("RGB", (8, 4), (255, 0, 0)).save(path)
        read = read_picture(path)
        self.assertEqual(read.name, "red.png")
        self.assertEqual(read.pixels.shape, (4, 8, 3))
        self.assertEqual(read.pixels[0, 0].tolist(), [255, 0, 0])

    def test_transparent_and_grey_pictures_become_colour_pictures(self) -> None:
        for mode in ("RGBA", "L", "P", "1"):
            path = self.folder / f"{mode}.png"
            Image.new(mode, (8, 4)).save(path)
            self.assertEqual(read_picture(path).pixels.shape, (4, 8, 3))

    def test_large_pictures_are_scaled_down(self) -> None:
        path = self.folder / "large.png"
        Image.new("RGB", (views.LONGEST_SIDE * 2, 100)).save(path)
        self.assertEqual(read_picture(path).pixels.shape, (50, views.LONGEST_SIDE, 3))

    def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_decoded(self) -> None:
        for side in (9_000, 20_000):
            path = self.folder / "bomb.png"
            Image.new("1", (side, side)).save(path)
            with self.assertRaisesRegex(Refused, r"bomb\.png"):
                read_picture(path)

    def test_what_is_no_picture_is_refused_by_name(self) -> None:
        whole = self.folder / "whole.jpg"
        Image.fromarray(picture(64, 64).pixels).save(whole)
        wrecks = {
            "empty.jpg": b"",
            "text.jpg": b"not a picture",
            "cut.jpg": whole.read_bytes()[:200],
            "zeros.png": bytes(1_000),
        }
        for name, data in wrecks.items():
            with self.subTest(name):
                (self.folder / name).write_bytes(data)
                with self.assertRaises(Refused) as caught:
                    read_picture(self.folder / name)
                self.assertIn(name, caught.exception.what)

    def test_a_missing_picture_is_refused_by_name(self) -> None:
        with self.assertRaises(Refused) as caught:
            read_picture(self.folder / "nowhere.jpg")
        self.assertIn("nowhere.jpg", caught.exception.what)
        self.assertEqual(caught.exception.why, "No such file or directory")
