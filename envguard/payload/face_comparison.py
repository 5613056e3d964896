"""Two face landmarkers on the same images: where to look, what each found, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .face_views import CHANGES, Picture, changed, tiles, with_noise
from .faces import Difference, Face, difference, match, overlap
from .landmarkers import FaceReader, Reading
from .protocol import Events, Refused

MAX_IMAGES = 180
"""Enough for a mean that moves by a few hundredths of a pixel, in a few seconds of one core."""

NOISE_SIGMA = 1.0
"""In grey levels: less than any camera's sensor adds."""

NOISE_IMAGES = 24


@dataclass(frozen=True)
class Comparison:
    """What two readings of one image have in common; `seconds` are those of the whole MediaPipe calls."""

    image: str
    before: int
    after: int
    lost: int
    extra: int
    differences: tuple[Difference, ...]
    seconds: tuple[float, float]

    @classmethod
    def of(cls, image: Picture, before: Reading, after: Reading) -> Comparison:
        """Match the faces of two readings of `image` and measure each pair."""
        matching = match(before.faces, after.faces)
        return cls(
            image=image.name,
            before=len(before.faces),
            after=len(after.faces),
            lost=matching.lost,
            extra=matching.extra,
            differences=tuple(difference(*pair) for pair in matching.pairs),
            seconds=(before.seconds, after.seconds),
        )


def find_views(read: FaceReader, pictures: Sequence[Picture], events: Events) -> list[Picture]:
    """The pictures, or tiles of pictures, in which `read` finds a face; `Refused` if there is none at all.

    MediaPipe's detector sees the whole picture at 128 by 128 pixels, so small faces are found in tiles only. A tile
    is taken if it shows a face that no earlier tile shows.
    """
    views: list[Picture] = []
    for done, picture in enumerate(pictures):
        events.progress("Looking for faces", done, len(pictures))
        views += [picture] if read(picture.pixels).faces else _tiles_with_new_faces(read, picture)
    events.progress("Looking for faces", len(pictures), len(pictures))
    if not views:
        raise Refused(
            "The original bundle finds no face in any of the pictures, so there is nothing to compare.",
            next_step="Give pictures in which a face fills a good part of the frame.",
        )
    return views


def compare(before: FaceReader, after: FaceReader, views: Sequence[Picture], events: Events) -> list[Comparison]:
    """Read every view and its changes with both, each being first in turn: both meet the machine in the same state."""
    total = min(MAX_IMAGES, len(views) * len(CHANGES))
    for read in (before, after):
        read(views[0].pixels)
    comparisons = []
    for done, image in enumerate(changed(views, MAX_IMAGES)):
        events.progress("Comparing faces", done, total)
        if done % 2:
            later, earlier = after(image.pixels), before(image.pixels)
        else:
            earlier, later = before(image.pixels), after(image.pixels)
        comparisons.append(Comparison.of(image, earlier, later))
    events.progress("Comparing faces", total, total)
    return comparisons


def noise_floor(read: FaceReader, views: Sequence[Picture]) -> list[Comparison]:
    """How far one landmarker is from itself when an invisible noise is added to the image."""
    return [
        Comparison.of(image, read(image.pixels), read(with_noise(image, NOISE_SIGMA).pixels))
        for image in views[:NOISE_IMAGES]
    ]


def _tiles_with_new_faces(read: FaceReader, picture: Picture) -> list[Picture]:
    chosen: list[Picture] = []
    known: list[Face] = []
    for tile, corner in tiles(picture):
        found = [Face(face.landmarks + corner) for face in read(tile.pixels).faces]
        new = [face for face in found if not any(overlap(face, other) > 0 for other in known)]
        if new:
            chosen.append(tile)
            known += new
    return chosen
