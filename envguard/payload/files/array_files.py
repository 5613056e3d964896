"""Write arrays under any name: `numpy.savez` takes them as keywords, so none may be called `file`."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An `.npz` with the arrays by name."""
    with zipfile.ZipFile(path, "w") as target:
        for name, array in arrays.items():
            with target.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
