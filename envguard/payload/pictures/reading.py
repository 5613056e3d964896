"""Read picture files as a viewer shows them: upright, in 8-bit RGB, no larger than is looked at."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..landmarks.views import Picture, scaled
from ..protocol import Events, Refused
from . import large_png
from .colours import in_colour

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MOST_PIXELS = {"JPEG": 1 << 28, "PNG": 1 << 28}
"""A file of a few kilobytes may claim gigabytes of pixels; these formats are scaled down while they are read."""

MOST_PIXELS_ELSEWHERE = 1 << 26
"""Of other formats, and of a JPEG whose pixels come several times, more exactly each time: all of them are held."""

MOST_PIXELS_AT_ONCE = 1 << 24

LONGEST_SIDE = 1280
"""Larger pictures are scaled down to this: MediaPipe's detectors see at most 224 pixels, the landmark models 256."""

# Pillow's own limit warns first and raises at twice as many pixels; ours are exact.
Image.MAX_IMAGE_PIXELS = None

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""

# Pillow answers some damage with the error of whatever it tripped over.
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def read_pictures(paths: Sequence[Path], events: Events) -> list[Picture]:
    """All that can be decoded; a note names each of the others. `Refused` if there are files and none can be."""
    pictures, broken = [], []
    for path in paths:
        try:
            pictures.append(read_picture(path))
        except Refused as cause:
            broken.append(cause)
    if broken and not pictures:
        if len(broken) == 1:
            raise broken[0]
        raise Refused(
            f"None of the {len(broken)} pictures can be decoded.",
            why=f"The first: {broken[0].what} {broken[0].why}",
            next_step=broken[0].next_step,
        )
    for refused in broken:
        events.note(f"Left out: {refused.what}" + (f" ({refused.why})" if refused.why else ""))
    return pictures


def read_picture(path: Path) -> Picture:
    """Decode a picture file and scale it down to the longest side allowed; `Refused` names a file that is none.

    The first frame of several; transparent parts on white. Grey values of more than 8 bits are scaled from the depth
    that holds them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _upright(path)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as cause:
        raise Refused(f"The picture {path} cannot be read.", why=cause.strerror or str(cause)) from cause
    except _DAMAGE as cause:
        raise Refused(
            f"{_shown(path)} is not a picture that can be decoded.",
            why=_why(path, cause),
            next_step=f"Give pictures in one of these formats: {', '.join(FORMATS)}.",
        ) from cause
    return Picture(path.name, np.array(image))


def _shown(path: Path) -> str:
    """The file's name on one line, whatever characters it has."""
    return path.name if path.name.isprintable() else ascii(path.name)


def _why(path: Path, cause: Exception) -> str:
    if isinstance(cause, UnidentifiedImageError):
        return "it is empty" if path.stat().st_size == 0 else "what it holds is no picture, or one of a rare kind"
    return str(cause)


def _upright(path: Path) -> Image.Image:
    with Image.open(path, formats=FORMATS) as image:
        pixels = image.width * image.height
        format_ = image.format or ""
        progressive = bool(image.info.get("progressive"))
        most = MOST_PIXELS_ELSEWHERE if progressive else MOST_PIXELS.get(format_, MOST_PIXELS_ELSEWHERE)
        if pixels > most:
            kind = f"progressive {format_}" if progressive else format_
            raise Refused(
                f"The picture {_shown(path)} has {image.width} x {image.height} pixels;"
                f" {kind} pictures of up to {most:,} pixels are taken."
            )
        orientation = _orientation(image)
        if pixels > MOST_PIXELS_AT_ONCE and format_ == "PNG":
            factor = max(1, max(image.size) // (2 * LONGEST_SIDE))
            colours = in_colour(large_png.read_scaled(path, factor))
        else:
            if pixels > MOST_PIXELS_AT_ONCE:
                image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
            image.load()
            # Pillow turns TIFF pictures upright itself.
            orientation = 1 if format_ == "TIFF" else orientation
            colours = in_colour(image)
    shrink = LONGEST_SIDE / max(colours.size)
    fitting = scaled(colours, shrink) if shrink < 1.0 else colours
    return fitting.transpose(_TURNS[orientation]) if orientation in _TURNS else fitting


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; damage in what a camera wrote about a picture does not make the picture unreadable."""
    try:
        # `getexif` of a PNG decodes all of it, to find what may come after the pixels.
        exif = Image.Exif() if image.format == "PNG" else image.getexif()
        if image.format == "PNG":
            exif.load(image.info.get("exif", b""))
        return int(exif.get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1
