"""`envguard inspect`: what is in a model, without running it; what is no model is one sentence."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.documents import problems
from tests.support.environments import workshop

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def bundle(store_home: Path) -> Path:
    """Google's face_landmarker.task."""
    (path,) = workshop(store_home).sample("face_landmarker").values()
    return path


def test_a_bundle_is_told_model_by_model(store_home: Path, tmp_path: Path) -> None:
    ended = envguard("inspect", "sample:face_landmarker", home=store_home, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "face_detector: 229,746 bytes, weights stored as float16" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_a_bare_model_is_one_json_document_and_is_not_touched(store_home: Path, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "detector.tflite"
    with zipfile.ZipFile(bundle) as archive:
        path.write_bytes(archive.read("face_detector.tflite"))
    before = path.read_bytes()
    document = envguard("inspect", path, "--json", home=store_home, cwd=tmp_path).document
    assert problems(document, "InspectDocument") == []
    assert document["kind"] == "model"
    (model,) = document["models"]
    assert model["operators"]["CONV_2D"] == 21
    assert model["constants"]["FLOAT16"] == 74
    assert {each["pass"] for each in model["passes"]} >= {"operator_codes", "fold_float16", "fuse_activation"}
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"hello\n", b"PK\x03\x04", b"\x18\0\0\0TFL3" + os.urandom(4096)])
@pytest.mark.parametrize("name", ["bad.task", "bad.tflite", "line\nbreak.task"])
def test_what_is_no_model_is_one_sentence(store_home: Path, tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ended = envguard("inspect", path, home=store_home, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert len([line for line in ended.err.splitlines() if line.startswith("envguard: ")]) == 1


def test_an_unknown_goal_is_refused(store_home: Path, tmp_path: Path) -> None:
    ended = envguard("inspect", "sample:face_landmarker", "--goal", "glory", home=store_home, cwd=tmp_path)
    assert ended.code == 2
    assert "There is no goal 'glory'" in ended.err
