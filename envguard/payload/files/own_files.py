"""The files that a user gave to calibrate or to measure with: pictures, and arrays."""

from __future__ import annotations

from pathlib import Path

from ..contract import Request

OWN = "own"
"""What steps call the input."""

ARRAYS = (".npy", ".npz")


def own_arrays(request: Request) -> list[Path]:
    """Those that hold arrays."""
    return [path for path in request.files(OWN) if path.suffix.lower() in ARRAYS]


def own_pictures(request: Request) -> list[Path]:
    """All others."""
    return [path for path in request.files(OWN) if path.suffix.lower() not in ARRAYS]
