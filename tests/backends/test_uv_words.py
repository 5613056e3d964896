"""What uv says while it installs, word for word, becomes progress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.backends.installing import build_venv
from envguard.backends.uv_words import UvWords
from tests.support.environments import workshop
from tests.support.tiny import INTERPRETER, lock_of

SAID = """\
Using Python 3.11.7 environment at: venv
Resolved 17 packages in 291ms
Downloading numpy (17.4MiB)
Downloading mediapipe (34.0MiB)
 Downloaded numpy
 Downloaded mediapipe
Prepared 17 packages in 7.06s
Installed 17 packages in 5.30s
Bytecode compiled 1997 files in 8.86s
 + absl-py==2.5.1
"""


class Told(list[tuple[str, float, float]]):
    """Keeps what was told."""

    def __call__(self, label: str, done: float, total: float) -> None:
        self.append((label, done, total))


def test_downloads_are_counted_in_bytes_and_each_stage_is_named() -> None:
    told = Told()
    words = UvWords(told)
    for line in SAID.splitlines(keepends=True):
        words.hear(line)
    numpy, mediapipe = 17.4 * 2**20, 34.0 * 2**20
    assert told == [
        ("fetching 17 packages", 0, 0),
        ("downloading, 0 of 18 MB", 0, numpy),
        ("downloading, 0 of 54 MB", 0, numpy + mediapipe),
        ("downloading, 18 of 54 MB", numpy, numpy + mediapipe),
        ("downloading, 54 of 54 MB", numpy + mediapipe, numpy + mediapipe),
        ("installing 17 packages", 0, 0),
        ("compiling 17 packages", 0, 0),
        ("reading every file", 0, 0),
    ]


@pytest.mark.network
def test_this_uv_still_says_it_in_these_words(tmp_path: Path, store_home: Path) -> None:
    told = Told()
    installer = replace(workshop(store_home)._installer(), cache=tmp_path / "cache", tell=told)
    build_venv(tmp_path / "built", INTERPRETER, lock_of(tmp_path / "cache", "pygments"), installer)
    labels = [label for label, _, _ in told]
    assert labels[0] == "fetching 1 package"
    assert labels[-3:] == ["installing 1 package", "compiling 1 package", "reading every file"]
    downloads = [each for each in told if each[2]]
    assert downloads, "pygments is larger than a megabyte, which uv announces"
    assert downloads[-1][1] == downloads[-1][2] > 1e6
