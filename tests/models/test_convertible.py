"""What may be converted is known before anything is built, and a folder becomes the same file wherever it lies."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.models.convertible import check_convertible, pack


def saved_model(folder: Path) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    return folder


def test_a_converted_model_is_told_why_it_cannot_be_converted_and_what_can_be_done(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    (tmp_path / "renamed.h5").write_bytes(b"\x1c\0\0\0TFL3")
    (tmp_path / "broken.task").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "bundle.bin", "w") as bundle:
        bundle.writestr("model.tflite", b"")
    for path in tmp_path.iterdir():
        with pytest.raises(BadInput, match="cannot start from") as caught:
            check_convertible(path, path.name)
        assert "nothing turns a .tflite back" in caught.value.why
        assert f"envguard run quantize {path.name}" in caught.value.next_step


def test_what_is_no_model_of_tensorflow_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"hello")
    (tmp_path / "model.onnx").write_bytes(b"hello")
    (tmp_path / "folder").mkdir()
    for name in ("model.keras", "model.onnx", "folder", "missing.h5"):
        with pytest.raises(BadInput):
            check_convertible(tmp_path / name, name)


def test_the_file_of_a_saved_model_leads_to_its_folder(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "model")
    check_convertible(folder, "model")
    with pytest.raises(BadInput) as caught:
        check_convertible(folder / "saved_model.pb", "saved_model.pb")
    assert str(folder) in caught.value.next_step


def test_a_folder_is_packed_to_the_same_bytes_whatever_its_name_times_and_rights(tmp_path: Path) -> None:
    first = saved_model(tmp_path / "first")
    second = tmp_path / "second"
    shutil.copytree(first, second)
    os.utime(second / "saved_model.pb", (1, 1))
    (second / "saved_model.pb").chmod(0o600)
    hashes = set()
    for folder in (first, second):
        pack(folder, tmp_path / f"{folder.name}.tar")
        hashes.add(hashlib.sha256((tmp_path / f"{folder.name}.tar").read_bytes()).hexdigest())
    assert len(hashes) == 1
    with tarfile.open(tmp_path / "first.tar") as tar:
        assert tar.getnames() == ["saved_model.pb", "variables/variables.index"]


def test_a_link_or_a_pipe_in_a_folder_is_refused(tmp_path: Path) -> None:
    linked, piped = saved_model(tmp_path / "linked"), saved_model(tmp_path / "piped")
    (linked / "odd").symlink_to("/etc/hostname")
    os.mkfifo(piped / "odd")
    for folder in (linked, piped):
        with pytest.raises(BadInput, match="'odd'"):
            pack(folder, folder.with_suffix(".tar"))
