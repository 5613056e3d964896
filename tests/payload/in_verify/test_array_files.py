"""Arrays come back under the names that they were written by, whatever these are."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
from envguard_payload.files import array_files


class ArrayFiles(unittest.TestCase):
    def test_any_name_of_a_model_is_taken(self) -> None:
        names = ("file", "a/b.task/m.tflite", "m.npy", "arr_0")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "arrays.npz"
            array_files.write(path, {name: np.full(2, number, np.float32) for number, name in enumerate(names)})
            with np.load(path, allow_pickle=False) as read:
                self.assertEqual(
                    {name: read[name].tolist() for name in read.files},
                    {name: [number, number] for number, name in enumerate(names)},
                )


if __name__ == "__main__":
    unittest.main()
