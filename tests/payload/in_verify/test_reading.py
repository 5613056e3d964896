"""Picture files are read as a viewer shows them, whatever their format, depth, size, or damage."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

import numpy as np
from envguard_payload.pictures import large_png, reading
from envguard_payload.pictures.colours import eight_bits, in_colour
from envguard_payload.pictures.reading import LONGEST_SIDE, read_picture, read_pictures
from envguard_payload.protocol import Refused
from payload_support.requests import Listening
from PIL import Image


def pixels(height: int = 60, width: int = 80) -> np.ndarray:
    """A gradient, darker to the left and to the top."""
    rows, columns = np.mgrid[0:height, 0:width]
    grey = rows * 160 // height + columns * 90 // width
    return np.stack([grey, grey // 2, grey // 3], axis=2).astype(np.uint8)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


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
        Image.new("RGB", (LONGEST_SIDE * 2, 100)).save(path)
        self.assertEqual(read_picture(path).pixels.shape, (50, LONGEST_SIDE, 3))

    def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_decoded(self) -> None:
        for name, side in (("bomb.png", 20_000), ("bomb.bmp", 9_000)):
            path = self.folder / name
            Image.new("1", (side, side)).save(path)
            with self.assertRaisesRegex(Refused, name):
                read_picture(path)

    def test_a_progressive_jpeg_all_of_whose_pixels_are_held_may_have_fewer(self) -> None:
        path = self.folder / "bomb.jpg"
        Image.new("L", (16, 16)).save(path, progressive=True)
        data = bytearray(path.read_bytes())
        place = data.index(b"\xff\xc2") + 5
        data[place : place + 4] = (16_000).to_bytes(2, "big") * 2
        path.write_bytes(data)
        with self.assertRaisesRegex(Refused, "progressive JPEG pictures of up to 67,108,864 pixels"):
            read_picture(path)

    def test_what_is_no_picture_is_refused_by_name(self) -> None:
        whole = self.folder / "whole.jpg"
        Image.fromarray(pixels()).save(whole)
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


class Upright(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_picture_is_turned_as_its_camera_says(self) -> None:
        turned = {
            2: pixels()[:, ::-1],
            3: pixels()[::-1, ::-1],
            4: pixels()[::-1],
            5: pixels().transpose(1, 0, 2),
            6: np.rot90(pixels(), -1),
            7: np.rot90(pixels(), 2).transpose(1, 0, 2),
            8: np.rot90(pixels()),
        }
        for orientation, expected in turned.items():
            for suffix in ("png", "tiff", "jpg", "webp"):
                with self.subTest(f"{orientation} {suffix}"):
                    exif = Image.Exif()
                    exif[0x0112] = orientation
                    path = self.folder / f"turned.{suffix}"
                    Image.fromarray(pixels()).save(path, exif=exif, quality=95)
                    read = read_picture(path).pixels
                    self.assertEqual(read.shape, expected.shape)
                    self.assertLess(np.abs(read.astype(int) - expected).mean(), 3)

    def test_damaged_notes_of_a_camera_leave_the_picture_readable(self) -> None:
        path = self.folder / "odd.jpg"
        Image.fromarray(pixels()).save(path, exif=b"Exif\0\0nonsense")
        self.assertEqual(read_picture(path).pixels.shape, (60, 80, 3))


class Colours(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def read(self, image: Image.Image, name: str) -> np.ndarray:
        image.save(self.folder / name)
        return read_picture(self.folder / name).pixels.astype(int)

    def test_grey_of_more_than_eight_bits_keeps_its_brightness(self) -> None:
        grey = pixels()[..., 0]
        deep = {
            "sixteen.png": grey.astype(np.uint16) * 257,
            "sixteen.tif": grey.astype(np.uint16) * 257,
            "twelve.png": grey.astype(np.uint16) * 16,
            "fraction.tif": grey.astype(np.float32) / 255,
            "float.tiff": grey.astype(np.float32),
            "wide.tif": grey.astype(np.int32),
        }
        for name, values in deep.items():
            with self.subTest(name):
                read = self.read(Image.fromarray(values), name)
                self.assertEqual(read.shape, (60, 80, 3))
                self.assertLessEqual(np.abs(read - grey[..., None]).max(), 1)

    def test_negative_values_and_very_large_ones_are_stretched_from_black_to_white(self) -> None:
        for values in (np.array([[-1.0, 0.0, 1.0]]), np.array([[0, 10**6, 2 * 10**6]])):
            self.assertEqual(eight_bits(values).tolist(), [[0, 128, 255]])
        with self.assertRaises(ValueError):
            eight_bits(np.array([[0.0, np.nan]]))

    def test_every_mode_shows_the_same_colours(self) -> None:
        image = Image.fromarray(pixels())
        shown = {
            "cmyk.jpg": image.convert("CMYK"),
            "palette.png": image.quantize(),
            "opaque.png": image.convert("RGBA"),
            "first.gif": image,
            "whole.webp": image,
            "plain.tiff": image,
            "plain.bmp": image,
        }
        for name, given in shown.items():
            with self.subTest(name):
                self.assertLess(np.abs(self.read(given, name) - pixels()).mean(), 12)
        read = self.read(image.convert("1"), "bilevel.png")
        self.assertEqual(sorted(np.unique(read)), [0, 255])

    def test_the_first_frame_of_several_is_taken(self) -> None:
        path = self.folder / "several.gif"
        Image.new("RGB", (8, 4), (255, 0, 0)).save(
            path, save_all=True, append_images=[Image.new("RGB", (8, 4), (0, 0, 255))]
        )
        self.assertEqual(read_picture(path).pixels[0, 0].tolist(), [255, 0, 0])

    def test_what_is_transparent_is_white(self) -> None:
        self.assertEqual(self.read(Image.new("RGBA", (8, 4), (200, 0, 0, 0)), "clear.png")[0, 0].tolist(), [255] * 3)


class Sizes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_huge_picture_is_scaled_while_it_is_read(self) -> None:
        for name in ("huge.png", "huge.jpg"):
            with self.subTest(name):
                path = self.folder / name
                Image.new("L", (10_000, 7_000), 200).save(path)
                read = read_picture(path).pixels
                self.assertEqual(read.shape, (896, LONGEST_SIDE, 3))
                self.assertLessEqual(np.abs(read.astype(int) - 200).max(), 2)

    def test_a_png_read_in_bands_is_the_one_read_whole(self) -> None:
        self.addCleanup(setattr, large_png, "BAND_BYTES", large_png.BAND_BYTES)
        large_png.BAND_BYTES = 1 << 13
        colours = Image.fromarray(noise(201, 103))
        kinds = {
            "colour": colours,
            "grey": colours.convert("L"),
            "palette": colours.quantize(200),
            "few colours": colours.quantize(9),
            "bilevel": colours.convert("1"),
            "transparent": Image.fromarray(noise(201, 103, 4)),
            "grey and transparent": Image.fromarray(noise(201, 103, 4)).convert("LA"),
            "deep": Image.fromarray(noise(201, 103)[..., 0].astype(np.uint16) * 251),
        }
        path = self.folder / "banded.png"
        for name, image in kinds.items():
            with self.subTest(name):
                image.save(path)
                whole = image.convert("I") if name == "deep" else in_colour(image)
                for factor in (1, 4):
                    banded = large_png.read_scaled(path, factor)
                    np.testing.assert_array_equal(np.asarray(banded), np.asarray(whole.reduce(factor)))

    def test_a_huge_png_that_is_cut_short_is_refused_by_name(self) -> None:
        self.addCleanup(setattr, reading, "MOST_PIXELS_AT_ONCE", reading.MOST_PIXELS_AT_ONCE)
        reading.MOST_PIXELS_AT_ONCE = 1 << 10
        path = self.folder / "cut.png"
        Image.fromarray(noise(201, 103)).save(path)
        path.write_bytes(path.read_bytes()[:20_000])
        with self.assertRaisesRegex(Refused, "cut.png"):
            read_picture(path)

    def test_pictures_of_a_pixel_are_taken(self) -> None:
        for size, shape in (((1, 1), (1, 1, 3)), ((1, 5_000), (LONGEST_SIDE, 1, 3))):
            Image.new("RGB", size).save(self.folder / "thin.png")
            self.assertEqual(read_picture(self.folder / "thin.png").pixels.shape, shape)


class Several(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def made(self, *names: str) -> list[Path]:
        for name in names:
            Image.fromarray(pixels()).save(self.folder / name)
        return [self.folder / name for name in names]

    def test_broken_ones_are_named_and_left_out(self) -> None:
        good = self.made("a.png", "b.png")
        (self.folder / "half.jpg").write_bytes(self.made("whole.jpg")[0].read_bytes()[:700])
        (self.folder / "empty.jpg").touch()
        events = Listening()
        read = read_pictures([good[0], self.folder / "half.jpg", self.folder / "empty.jpg", good[1]], events)
        self.assertEqual([picture.name for picture in read], ["a.png", "b.png"])
        self.assertEqual(len(events.notes), 2)
        self.assertIn("half.jpg", events.notes[0])
        self.assertIn("it is empty", events.notes[1])

    def test_if_all_are_broken_it_refuses(self) -> None:
        paths = [self.folder / "a.jpg", self.folder / "b.jpg"]
        for path in paths:
            path.write_bytes(b"<html>404</html>")
        with self.assertRaisesRegex(Refused, "None of the 2 pictures"):
            read_pictures(paths, Listening())

    def test_a_name_that_cannot_be_printed_is_told_on_one_line(self) -> None:
        (self.folder / "with\nnewline.png").touch()
        with self.assertRaisesRegex(Refused, r"^'with\\nnewline\.png' is not a picture"):
            read_picture(self.folder / "with\nnewline.png")

    def test_odd_names_are_read(self) -> None:
        for name in ("with\nnewline.png", "q'uote\".png", ".hidden.png", "-rf.png", os.fsdecode(b"bad\xff.png")):
            with self.subTest(ascii(name)):
                path = self.folder / "plain.png"
                Image.fromarray(pixels()).save(path)
                path.replace(self.folder / name)
                self.assertEqual(read_picture(self.folder / name).name, name)


if __name__ == "__main__":
    unittest.main()
