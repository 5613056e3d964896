"""What is no model, or only looks like one, ends in one sentence; nothing is written and the input stays as it was."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import envguard
from tests.support.environments import workshop

pytestmark = [pytest.mark.network, pytest.mark.slow]


def traversal(path: Path, good: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../evil.tflite", good)


def claims_gigabytes(path: Path, good: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.tflite", good)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    for offset in (entry + 20, entry + 24, 18, 22):
        data[offset : offset + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(data)


def written(content: bytes) -> Any:
    return lambda path, good: path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("text.task", written(b"hello\n")),
        ("empty.task", written(b"")),
        ("traversal.task", traversal),
        ("gigabytes.task", claims_gigabytes),
        ("truncated.task", lambda path, good: path.write_bytes(good[: len(good) // 2])),
        ("random.tflite", lambda path, good: path.write_bytes(b"\x18\0\0\0TFL3" + os.urandom(4096))),
        ("line\nbreak.task", written(b"PK")),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_left(store_home: Path, tmp_path: Path, name: str, make: Any) -> None:
    source = tmp_path / name
    (bundle,) = workshop(store_home).sample("face_landmarker").values()
    make(source, bundle.read_bytes())
    before = source.read_bytes()
    ended = envguard("run", "quantize", source, "-o", tmp_path / "out.task", home=store_home, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert "Traceback" not in ended.err
    last = [line for line in ended.err.splitlines() if line.startswith("envguard: ")]
    assert len(last) == 1
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]
