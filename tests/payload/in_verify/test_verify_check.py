"""The proof of the environment, and what it says about a system that misses libraries."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from envguard_payload.checks import verify
from envguard_payload.system import elf, system_libraries
from payload_support.requests import request
from PIL import Image

BUNDLE = os.environ.get("ENVGUARD_TEST_BUNDLE", "")
PICTURES = os.environ.get("ENVGUARD_TEST_PICTURES", "")


def numpy_core() -> Path:
    return next(Path(np.__file__).parent.rglob("_multiarray_umath*.so"))


@unittest.skipUnless(BUNDLE and PICTURES, "ENVGUARD_TEST_BUNDLE and ENVGUARD_TEST_PICTURES are not set")
class Proof(unittest.TestCase):
    def run_check(self, bundle: Path, picture: Path) -> tuple[bool, list[str]]:
        inputs = {"bundle": bundle, "picture": picture}
        result = verify.run(request("checks.verify", Path(), inputs), None)
        return bool(result.values.facts["works"]), [failure.name for failure in result.failures]

    def picture(self) -> Path:
        first = Path(PICTURES.split(os.pathsep)[0])
        return sorted(first.iterdir())[0] if first.is_dir() else first

    def test_a_face_is_found_with_the_real_bundle(self) -> None:
        self.assertEqual(self.run_check(Path(BUNDLE), self.picture()), (True, []))

    def test_a_picture_without_a_face_proves_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            wall = Path(folder) / "wall.png"
            Image.new("RGB", (256, 256)).save(wall)
            self.assertEqual(self.run_check(Path(BUNDLE), wall), (False, ["no-face-found"]))

    def test_what_mediapipe_does_not_take_fails_by_name(self) -> None:
        self.assertEqual(self.run_check(self.picture(), self.picture()), (False, ["mediapipe-rejects"]))


@unittest.skipUnless(sys.platform.startswith("linux"), "ELF files are Linux's")
class SystemLibraries(unittest.TestCase):
    def test_the_libraries_of_a_real_extension_are_read(self) -> None:
        self.assertIn("libc.so.6", elf.needed_libraries(numpy_core()))

    def test_a_file_that_is_no_elf_file_needs_none(self) -> None:
        self.assertEqual(elf.needed_libraries(Path(__file__)), ())

    def test_a_truncated_elf_file_needs_none(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cut = Path(folder) / "cut.so"
            cut.write_bytes(numpy_core().read_bytes()[:80])
            self.assertEqual(elf.needed_libraries(cut), ())

    def test_every_missing_library_is_named_at_once(self) -> None:
        renamed = {b"libc.so.6": b"libX.so.9", b"libm.so.6": b"libY.so.9"}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "broken.so"
            data = numpy_core().read_bytes()
            for old, new in renamed.items():
                data = data.replace(old + b"\0", new + b"\0")
            path.write_bytes(data)
            missing = system_libraries.missing_libraries([Path(folder)])
        self.assertEqual({"libX.so.9", "libY.so.9"} & set(missing), {"libX.so.9", "libY.so.9"})
        self.assertNotIn("libpthread.so.0", missing)

    def test_a_library_that_lies_beside_the_extension_is_not_missing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "extension.so"
            path.write_bytes(numpy_core().read_bytes().replace(b"libc.so.6\0", b"libX.so.9\0"))
            shutil.copy(numpy_core(), Path(folder) / "libX.so.9")
            self.assertNotIn("libX.so.9", system_libraries.missing_libraries([Path(folder)]))

    def test_the_failure_names_the_libraries_and_the_packages_that_bring_them(self) -> None:
        failure = system_libraries.judged(["libEGL.so.1", "libGLESv2.so.2", "libnew.so.3"], "MediaPipe")
        self.assertEqual(failure.name, "missing-library")
        self.assertIn("libEGL.so.1, libGLESv2.so.2, libnew.so.3", failure.message)
        self.assertIn("libegl1 libgles2", failure.next)
        self.assertIn("libnew.so.3", failure.next)
