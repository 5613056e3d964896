"""Every kind of pixels that a file may hold, as 8-bit RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

_LARGEST_BY_DEPTH = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in 8, 10, 12, 14 and 16 bits: what a sensor counts to, whatever the type that holds it."""


def in_colour(image: Image.Image) -> Image.Image:
    """The picture in 8-bit RGB."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(eight_bits(np.asarray(image))).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    shown = image.convert("RGBA")
    canvas = Image.new("RGBA", shown.size, "white")
    return Image.alpha_composite(canvas, shown).convert("RGB")


def eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values of any type as uint8.

    White is the largest value of the depth that holds them, or 1 for fractions; values that are negative or larger
    than 16 bits hold are stretched between the lowest and the highest. Raises ValueError for NaN or infinities.
    """
    exact = values.astype(np.float64)
    low, high = float(exact.min()), float(exact.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it holds NaN or infinities")
    if low >= 0:
        depths = (1.0, *_LARGEST_BY_DEPTH) if values.dtype.kind == "f" else _LARGEST_BY_DEPTH
        low, high = 0.0, next((white for white in depths if high <= white), high)
    return np.rint((exact - low) / max(high - low, 1e-30) * 255.0).astype(np.uint8)
