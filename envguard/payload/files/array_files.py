"""Write arrays under any name, which `numpy.savez` does not, and read a user's, of which a file may claim any size."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

MOST_BYTES = 1 << 30
"""Of the arrays in a file: a compressed one holds a thousand times its own size."""


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An `.npz` with the arrays by name."""
    with zipfile.ZipFile(path, "w") as target:
        for name, array in arrays.items():
            with target.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def read(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """The array of an `.npy`, or those of an `.npz` by name; no Python objects.

    Raises ValueError for arrays of more than `MOST_BYTES`, before any is read, and what NumPy raises for damage.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            claimed = sum(info.file_size for info in archive.infolist())
        if claimed > MOST_BYTES:
            raise ValueError(f"its arrays would be {claimed:,} bytes, of which {MOST_BYTES:,} are taken")
    loaded = np.load(path, allow_pickle=False)
    return loaded if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
