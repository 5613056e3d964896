"""What a report draws of two landmarkers: figures image by image, pictures with what was found, the largest shifts."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..contract import EveryScore, ImageFigures, ShownPicture, ShownShift, VerifyDetails
from .comparison import ComparedImage, Subject
from .detections import Detection
from .differences import score_gaps
from .views import Picture, changed

MOST_PICTURES = 8
LONGEST_SIDE = 640
"""Of a picture in the report: enough to see landmarks on, and a page with eight of them stays below a megabyte."""

MOST_ZOOMS = 6
ZOOM_SHARE = 0.12
"""Side of a zoom as a share of the crop that the landmark model sees: an eye or a knuckle."""

LEAST_ZOOM_SIDE = 12
ZOOM_PIXELS = 240
QUALITY = 82


@dataclass(frozen=True)
class _Extreme:
    """The landmark of one detection that moved farthest, by `shift` pixels of the crop."""

    image: int
    pair: tuple[Detection, Detection]
    landmark: int
    shift: float


def gather(
    subject: Subject, comparisons: Sequence[ComparedImage], noise: Sequence[ComparedImage], views: Sequence[Picture]
) -> VerifyDetails:
    """What was measured, image by image; `comparisons` are of `changed(views, …)`, in that order."""
    extremes = _extremes(subject, comparisons)
    images = dict(_images(views, [each.image for each in extremes], len(comparisons)))
    return VerifyDetails(
        kind=subject.kind.name,
        things=subject.kind.things,
        crop_side=subject.crop_side,
        images=tuple(_figures(comparison) for comparison in comparisons),
        noise_px=tuple(item.crop_px for comparison in noise for item in comparison.differences),
        scores=_scores(subject.kind.scores, comparisons, noise),
        views=len(views),
        pictures=tuple(_picture(views[place], comparisons[place]) for place in _places(comparisons, len(views))),
        zooms=tuple(_zoom(subject, images[each.image], each) for each in extremes),
    )


def _figures(comparison: ComparedImage) -> ImageFigures:
    before, after = (seconds * 1_000 for seconds in comparison.seconds)
    return ImageFigures(
        name=comparison.image,
        before=comparison.before,
        lost=comparison.lost,
        extra=comparison.extra,
        px=tuple(item.crop_px for item in comparison.differences),
        ms=(before, after),
    )


def _places(comparisons: Sequence[ComparedImage], views: int) -> list[int]:
    """The views to show: where something was lost or new first, then where landmarks moved most; in their order."""

    def badness(place: int) -> tuple[int, float]:
        comparison = comparisons[place]
        return comparison.lost + comparison.extra, max((item.crop_px for item in comparison.differences), default=0.0)

    worst = sorted(range(min(views, len(comparisons))), key=badness, reverse=True)
    return sorted(worst[:MOST_PICTURES])


def _picture(view: Picture, comparison: ComparedImage) -> ShownPicture:
    image = Image.fromarray(view.pixels)
    scale = min(1.0, LONGEST_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    lost, extra = comparison.alone
    return ShownPicture(
        name=view.name,
        size=size,
        jpeg=_jpeg(image.resize(size, resample=Image.Resampling.LANCZOS)),
        px=tuple(item.crop_px for item in comparison.differences),
        before=tuple(_positions(one, scale) for one, _ in comparison.pairs),
        after=tuple(_positions(other, scale) for _, other in comparison.pairs),
        lost=tuple(_positions(each, scale) for each in lost),
        extra=tuple(_positions(each, scale) for each in extra),
    )


def _extremes(subject: Subject, comparisons: Sequence[ComparedImage]) -> list[_Extreme]:
    """The detections whose farthest moved landmark moved most; of one view and its changes only the worst."""
    found = []
    for image, comparison in enumerate(comparisons):
        for pair in comparison.pairs:
            distances = np.linalg.norm(pair[1].landmarks - pair[0].landmarks, axis=1)
            landmark = int(distances.argmax())
            side = subject.kind.anatomy.region(pair[0].landmarks).side
            found.append(_Extreme(image, pair, landmark, float(distances[landmark]) * subject.crop_side / side))
    found.sort(key=lambda each: (-each.shift, each.image))
    chosen: list[_Extreme] = []
    seen: set[str] = set()
    for each in found:
        view = comparisons[each.image].image.split(" (", 1)[0]
        if view not in seen and len(chosen) < MOST_ZOOMS:
            seen.add(view)
            chosen.append(each)
    return chosen


def _images(views: Sequence[Picture], wanted: Sequence[int], limit: int) -> Iterator[tuple[int, Picture]]:
    """Some of the images that were compared, made again: keeping all would take hundreds of megabytes."""
    if wanted:
        for place, image in enumerate(changed(views, limit)):
            if place in wanted:
                yield place, image


def _zoom(subject: Subject, image: Picture, extreme: _Extreme) -> ShownShift:
    """A square around the landmark, with all landmarks of the same detection that lie in it."""
    before, after = extreme.pair
    region = subject.kind.anatomy.region(before.landmarks)
    side = max(LEAST_ZOOM_SIDE, ZOOM_SHARE * region.side, 3 * extreme.shift * region.side / subject.crop_side)
    middle = (before.landmarks[extreme.landmark] + after.landmarks[extreme.landmark]) / 2
    left, top = (float(each) - side / 2 for each in middle)
    part = Image.fromarray(image.pixels).transform(
        (ZOOM_PIXELS, ZOOM_PIXELS),
        Image.Transform.EXTENT,
        (left, top, left + side, top + side),
        resample=Image.Resampling.BICUBIC,
    )
    scale = ZOOM_PIXELS / side
    moved = [np.round((each.landmarks - (left, top)) * scale, 1) for each in (before, after)]
    near = [bool(((each >= 0) & (each <= ZOOM_PIXELS)).all()) for each in np.concatenate(moved, axis=1)]
    return ShownShift(
        name=image.name,
        size=(ZOOM_PIXELS, ZOOM_PIXELS),
        jpeg=_jpeg(part),
        magnified=scale * region.side / subject.crop_side,
        landmark=extreme.landmark,
        shift=extreme.shift,
        before=_as_positions(moved[0][near]),
        after=_as_positions(moved[1][near]),
    )


def _scores(name: str, comparisons: Sequence[ComparedImage], noise: Sequence[ComparedImage]) -> EveryScore | None:
    """Means and largest absolute differences of each score over all detections, and the means that noise makes."""
    gaps, names = _gaps(comparisons)
    if gaps is None:
        return None
    floor, _ = _gaps(noise)
    return EveryScore(
        name=name,
        names=names,
        mean_abs=tuple(gaps.mean(axis=0).tolist()),
        max=tuple(gaps.max(axis=0).tolist()),
        noise_mean_abs=None if floor is None else tuple(floor.mean(axis=0).tolist()),
    )


def _gaps(comparisons: Sequence[ComparedImage]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    gaps: list[np.ndarray] = []
    names: tuple[str, ...] = ()
    for before, after in (pair for each in comparisons for pair in each.pairs):
        each = score_gaps(before, after)
        if each is not None:
            gaps.append(each)
            names = before.names
    if not gaps:
        return None, ()
    return np.array(gaps), names or tuple(f"landmark {number}" for number in range(len(gaps[0])))


def _positions(detection: Detection, scale: float) -> tuple[tuple[float, float], ...]:
    finite = detection.landmarks[np.isfinite(detection.landmarks).all(axis=1)]
    return _as_positions(np.round(finite * scale, 2))


def _as_positions(points: np.ndarray) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)


def _jpeg(image: Image.Image) -> str:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(written.getvalue()).decode("ascii")
