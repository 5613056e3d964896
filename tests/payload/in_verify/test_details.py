"""What a report draws: the landmark that moved farthest is found and shown, and what only one reading has."""

from __future__ import annotations

import base64
import io
import json
import unittest

import numpy as np
from envguard_payload.contract import VerifyDetails, from_json, to_json
from envguard_payload.landmarks import details
from envguard_payload.landmarks.comparison import ComparedImage, Subject
from envguard_payload.landmarks.detections import Detection, Reading
from envguard_payload.landmarks.face import FACE
from envguard_payload.landmarks.views import CHANGES, Picture, changed
from PIL import Image

SUBJECT = Subject(FACE, 256)
SIDE = 200.0
MOVED = 77


def face(left: float = 300.0, names: tuple[str, ...] = ("jawOpen", "cheekPuff")) -> Detection:
    """A face mesh of 200 by 200 pixels, upright."""
    positions = np.random.default_rng(1).uniform(0.0, SIDE, (478, 2))
    positions[0], positions[1] = (0.0, 0.0), (SIDE, SIDE)
    positions[33], positions[263] = (50.0, 80.0), (150.0, 80.0)
    return Detection(positions + (left, 100.0), np.array([0.1, 0.2]), names=names)


def moved(detection: Detection, by: float) -> Detection:
    landmarks = detection.landmarks.copy()
    landmarks[MOVED, 0] += by
    return Detection(landmarks, np.array([0.1, 0.6]), names=detection.names)


def picture(name: str) -> Picture:
    return Picture(name, np.full((400, 900, 3), 120, dtype=np.uint8))


def compared(image: Picture, before: tuple[Detection, ...], after: tuple[Detection, ...]) -> ComparedImage:
    return ComparedImage.of(SUBJECT, image, Reading(before, 0.010), Reading(after, 0.008))


class Details(unittest.TestCase):
    def gather(self, *shifts: float) -> VerifyDetails:
        self.views = [picture(f"{number}.jpg") for number in range(len(shifts))]
        self.comparisons = [
            compared(view, (face(),), (moved(face(), shift),))
            for view, shift in zip(self.views, shifts)  # noqa: B905 - Python 3.9
        ]
        return details.gather(SUBJECT, self.comparisons, self.comparisons[:1], self.views)

    def test_the_largest_shifts_are_zoomed_into_the_largest_first(self) -> None:
        found = self.gather(1.0, 9.0, 4.0)
        self.assertEqual([zoom.name for zoom in found.zooms], ["1.jpg", "2.jpg", "0.jpg"])
        zoom = found.zooms[0]
        self.assertEqual(zoom.landmark, MOVED)
        # MediaPipe's region is half as large again as the face's box, so that a pixel is 256 / 300 of the crop's.
        self.assertAlmostEqual(zoom.shift, 9.0 * 256 / 300, delta=0.05)
        apart = [one[0] - other[0] for one, other in zip(zoom.after, zoom.before)]  # noqa: B905
        self.assertAlmostEqual(max(apart), zoom.shift * zoom.magnified, delta=0.3)

    def test_pictures_are_jpegs_with_both_sets_of_landmarks_to_their_scale(self) -> None:
        shown = self.gather(3.0).pictures[0]
        with Image.open(io.BytesIO(base64.b64decode(shown.jpeg))) as image:
            self.assertEqual((image.format, list(image.size)), ("JPEG", list(shown.size)))
        self.assertEqual(max(shown.size), details.LONGEST_SIDE)
        scale = details.LONGEST_SIDE / 900
        self.assertTrue(np.allclose(shown.before[0], face().landmarks * scale, atol=0.01))
        self.assertAlmostEqual(shown.after[0][MOVED][0] - shown.before[0][MOVED][0], 3.0 * scale, delta=0.02)

    def test_what_only_one_reading_has_is_told_apart(self) -> None:
        view = picture("a.jpg")
        broken = Detection(np.full((478, 2), np.nan))
        comparison = compared(view, (face(), face(600.0)), (face(), broken))
        found = details.gather(SUBJECT, [comparison], [], [view])
        shown = found.pictures[0]
        self.assertEqual((len(shown.before), len(shown.lost), len(shown.extra)), (1, 1, 1))
        self.assertAlmostEqual(min(x for x, _ in shown.lost[0]), 600.0 * details.LONGEST_SIDE / 900, delta=0.01)
        self.assertEqual(shown.extra, ((),))
        written = json.loads(json.dumps(to_json(found), allow_nan=False))
        self.assertEqual(from_json(VerifyDetails, written), found)

    def test_scores_have_names_and_means(self) -> None:
        scores = self.gather(1.0, 2.0).scores
        assert scores is not None
        self.assertEqual((scores.name, scores.names), ("blendshapes", ("jawOpen", "cheekPuff")))
        self.assertEqual([round(each, 6) for each in scores.mean_abs], [0.0, 0.4])
        self.assertEqual(scores.noise_mean_abs, scores.mean_abs)

    def test_of_many_pictures_those_with_the_largest_shifts_are_shown(self) -> None:
        found = self.gather(*(float(number % 7) for number in range(14)))
        self.assertEqual(found.views, 14)
        self.assertEqual(len(found.pictures), details.MOST_PICTURES)
        self.assertEqual(len(found.zooms), details.MOST_ZOOMS)
        self.assertNotIn("0.jpg", [each.name for each in found.pictures])

    def test_a_changed_image_is_shown_as_it_was_changed(self) -> None:
        views = [Picture("a.jpg", np.random.default_rng(2).integers(0, 255, (400, 900, 3), dtype=np.uint8))]
        images = list(changed(views, len(CHANGES)))
        shifts = [9.0 if number == 4 else 1.0 for number in range(len(images))]
        comparisons = [
            compared(image, (face(),), (moved(face(), shift),))
            for image, shift in zip(images, shifts)  # noqa: B905 - Python 3.9
        ]
        (zoom,) = details.gather(SUBJECT, comparisons, [], views).zooms
        self.assertEqual(zoom.name, f"a.jpg ({CHANGES[4].name})")
        with Image.open(io.BytesIO(base64.b64decode(zoom.jpeg))) as image:
            self.assertLess(float(np.asarray(image).mean()), 100)  # the fifth change is darker

    def test_nothing_found_is_nothing_to_draw(self) -> None:
        found = details.gather(SUBJECT, [compared(picture("a"), (), ())], [], [picture("a")])
        self.assertEqual((found.zooms, found.scores, found.noise_px), ((), None, ()))


if __name__ == "__main__":
    unittest.main()
