"""Pictures on their way to another process of this machine: pixels as they are, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..landmarks.views import Picture

NAMES = "names"


def write_views(path: Path, views: Sequence[Picture]) -> None:
    """Write pixels and names."""
    arrays = {f"view{number}": view.pixels for number, view in enumerate(views)}
    np.savez(path, names=np.array([view.name for view in views]), **arrays)


def read_views(path: Path) -> list[Picture]:
    """What was written, in its order."""
    with np.load(path, allow_pickle=False) as file:
        return [Picture(str(name), file[f"view{number}"]) for number, name in enumerate(file[NAMES])]
