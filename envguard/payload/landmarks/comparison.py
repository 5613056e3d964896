"""Two landmarkers on the same images: where to look, what each found, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..protocol import Events, Refused
from .detections import Detection, Reader, Reading, match, overlap
from .differences import Difference, difference
from .kind import LandmarkKind
from .views import CHANGES, Picture, changed, tiles, with_noise

MAX_IMAGES = 180
"""Enough for a mean that moves by a few hundredths of a pixel, in a few seconds of one core."""

NOISE_SIGMA = 1.0
"""In grey levels: less than any camera's sensor adds."""

NOISE_IMAGES = 24


class NothingFound(Refused):
    """There is nothing to compare in any of the pictures."""


@dataclass(frozen=True)
class Subject:
    """What two landmarkers are compared on: things of this kind, in crops with this side in pixels."""

    kind: LandmarkKind
    crop_side: int


@dataclass(frozen=True)
class ComparedImage:
    """What two readings of one image have in common; `seconds` are those of the whole MediaPipe calls.

    `pairs` are the detections that `differences` are of, `alone` those that only the first or the second reading has.
    """

    image: str
    before: int
    after: int
    lost: int
    extra: int
    differences: tuple[Difference, ...]
    seconds: tuple[float, float]
    pairs: tuple[tuple[Detection, Detection], ...] = ()
    alone: tuple[tuple[Detection, ...], tuple[Detection, ...]] = ((), ())

    @classmethod
    def of(cls, subject: Subject, image: Picture, before: Reading, after: Reading) -> ComparedImage:
        """Match what two readings of `image` found and measure each pair."""
        matching = match(before.found, after.found)
        return cls(
            image=image.name,
            before=len(before.found),
            after=len(after.found),
            lost=matching.lost,
            extra=matching.extra,
            differences=tuple(difference(subject.kind.anatomy, *pair, subject.crop_side) for pair in matching.pairs),
            seconds=(before.seconds, after.seconds),
            pairs=matching.pairs,
            alone=(
                tuple(each for each in before.found if not any(each is one for one, _ in matching.pairs)),
                tuple(each for each in after.found if not any(each is other for _, other in matching.pairs)),
            ),
        )


def find_views(kind: LandmarkKind, read: Reader, pictures: Sequence[Picture], events: Events) -> list[Picture]:
    """The pictures, or tiles of pictures, in which `read` finds something; `Refused` if there is nothing at all.

    A detector sees the whole picture at some 200 by 200 pixels, so small things are found in tiles only. A tile is
    taken if it shows what neither the picture nor an earlier tile shows. A picture in which something is found is not
    searched any further if such things are `often_alone`. No more views are looked for than are used.
    """
    views: list[Picture] = []
    label = f"Looking for {kind.things}"
    for done, picture in enumerate(pictures):
        events.progress(label, done, len(pictures))
        if len(views) >= MAX_IMAGES:
            break
        found = read(picture.pixels).found
        views += [picture] if found else []
        if not found or not kind.often_alone:
            views += _tiles_with_more(read, picture, found)
    events.progress(label, len(pictures), len(pictures))
    if not views:
        raise NothingFound(
            f"The original bundle finds no {kind.things} in any of the pictures, so there is nothing to compare.",
            next_step=f"Give pictures in which a {kind.samples} fills a good part of the frame.",
        )
    return views


def compare(
    subject: Subject,
    before: Reader,
    after: Reader,
    views: Sequence[Picture],
    events: Events,
    most: int = MAX_IMAGES,
) -> list[ComparedImage]:
    """Read every view and its changes with both, each being first in turn: both meet the machine in the same state."""
    total = min(most, len(views) * len(CHANGES))
    for read in (before, after):
        read(views[0].pixels)
    comparisons = []
    for done, image in enumerate(changed(views, most)):
        events.progress("Comparing", done, total)
        if done % 2:
            later, earlier = after(image.pixels), before(image.pixels)
        else:
            earlier, later = before(image.pixels), after(image.pixels)
        comparisons.append(ComparedImage.of(subject, image, earlier, later))
    events.progress("Comparing", total, total)
    return comparisons


def noise_floor(
    subject: Subject, read: Reader, views: Sequence[Picture], most: int = NOISE_IMAGES
) -> list[ComparedImage]:
    """How far one landmarker is from itself when an invisible noise is added to the image."""
    return [
        ComparedImage.of(subject, image, read(image.pixels), read(with_noise(image, NOISE_SIGMA).pixels))
        for image in changed(views, most)
    ]


def _tiles_with_more(read: Reader, picture: Picture, found: Sequence[Detection]) -> list[Picture]:
    """Tiles that show something new; landmarks of tiles are moved to where they are in the picture to tell."""
    chosen: list[Picture] = []
    known = list(found)
    for tile, corner in tiles(picture):
        here = [replace(each, landmarks=each.landmarks + corner) for each in read(tile.pixels).found]
        new = [each for each in here if not any(overlap(each, other) > 0 for other in known)]
        if new:
            chosen.append(tile)
            known += new
    return chosen
