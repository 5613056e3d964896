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

    def test_a_file_that_claims_gigabytes_is_refused_before_any_is_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bomb.npz"
            np.savez_compressed(path, rows=np.zeros((1 << 16, 16), np.float32))
            data = bytearray(path.read_bytes())
            place = data.rfind(b"PK\x01\x02") + 24
            data[place : place + 4] = (0xF000_0000).to_bytes(4, "little")
            path.write_bytes(data)
            with self.assertRaisesRegex(ValueError, "would be 4,026,531,840 bytes, of which 1,073,741,824 are taken"):
                array_files.read(path)


if __name__ == "__main__":
    unittest.main()
