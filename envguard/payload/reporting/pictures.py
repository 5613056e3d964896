"""Pictures with two sets of landmarks over each other, as SVG paths that a browser draws in one go."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import ShownPicture, ShownShift, VerifyDetails

JPEG = b"\xff\xd8\xff"
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Drawing:
    """A picture for the page: `before` and `after` are paths of dots, `boxes` of lost and new detections.

    `moved` joins both positions of each landmark, where there is room to see it.
    """

    caption: str
    says: str
    source: str
    width: float
    height: float
    before: str
    after: str
    moved: str = ""
    lost: str = ""
    extra: str = ""


def pictures(details: VerifyDetails) -> list[Drawing]:
    """Each picture with all that was found in it."""
    return [_picture(each, details) for each in details.pictures]


def zooms(details: VerifyDetails) -> list[Drawing]:
    """The surroundings of the landmarks that moved farthest."""
    return [_zoom(each, details.crop_side) for each in details.zooms]


def _picture(picture: ShownPicture, details: VerifyDetails) -> Drawing:
    count = len(picture.px)
    found = f"{count} {details.kind if count == 1 else details.things} found by both"
    if picture.lost:
        found += f", {len(picture.lost)} lost"
    if picture.extra:
        found += f", {len(picture.extra)} new"
    shift = f"; shift {max(picture.px):.2f} px of {details.crop_side} at most" if picture.px else ""
    width, height = picture.size
    return Drawing(
        caption=f"{picture.name}: {found}{shift}",
        says=f"Landmarks of original and quantized model on {picture.name}: {found}{shift}",
        source=_source(picture.jpeg),
        width=width,
        height=height,
        before="".join(map(_dots, picture.before)),
        after="".join(map(_dots, picture.after)),
        lost="".join(map(_box, picture.lost)),
        extra="".join(map(_box, picture.extra)),
    )


def _zoom(zoom: ShownShift, side: int) -> Drawing:
    width, height = zoom.size
    what = f"landmark {zoom.landmark} moved by {zoom.shift:.2f} px of {side}"
    lines = (
        f"M{_position(one)}L{_position(other)}"
        for one, other in zip(zoom.before, zoom.after)  # noqa: B905 - Python 3.9
    )
    return Drawing(
        caption=f"{zoom.name}: {what} (1 px is {zoom.magnified:.1f} here)",
        says=f"Zoom into {zoom.name}, where {what}",
        source=_source(zoom.jpeg),
        width=width,
        height=height,
        before=_dots(zoom.before),
        after=_dots(zoom.after),
        moved="".join(lines),
    )


def _source(jpeg: str) -> str:
    """The picture's bytes as an address, if it is a JPEG at all: the file came from another step."""
    if not base64.b64decode(jpeg, validate=True).startswith(JPEG):
        raise ValueError("a picture of the details is not a JPEG")
    return f"data:image/jpeg;base64,{jpeg}"


def _dots(points: Points) -> str:
    return "".join(f"M{_position(point)}h0" for point in points)


def _box(points: Points) -> str:
    if not points:
        return ""
    left, top = (min(point[axis] for point in points) for axis in (0, 1))
    right, bottom = (max(point[axis] for point in points) for axis in (0, 1))
    return f"M{_position((left, top))}H{right:g}V{bottom:g}H{left:g}Z"


def _position(point: tuple[float, float]) -> str:
    return f"{point[0]:g} {point[1]:g}"
