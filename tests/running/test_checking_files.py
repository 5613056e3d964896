"""Inputs and outputs that cannot be are refused before any work is done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.running.checking_files import check_input, check_output


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.task"
    path.write_bytes(b"model")
    return path


def test_an_ordinary_input_and_output_are_taken_and_leave_no_trace(source: Path, tmp_path: Path) -> None:
    check_input(source)
    check_output(tmp_path / "out.task", source)
    assert list(tmp_path.iterdir()) == [source]


def test_inputs_that_are_no_file_are_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "loop").symlink_to("loop")
    for path, said in (
        (tmp_path, "is a folder"),
        (fifo, "not a regular file"),
        (tmp_path / "none", "does not exist"),
        (tmp_path / "loop", "cannot be read"),
        (tmp_path / "nul\0byte", "cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(BadInput, match=said):
            check_input(path)


def test_the_input_is_never_an_output_under_any_name(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link.task").symlink_to(source)
    (tmp_path / "hard.task").hardlink_to(source)
    for name in ("model.task", "link.task", "hard.task", "../" + tmp_path.name + "/model.task"):
        with pytest.raises(BadInput, match="is the input itself"):
            check_output(tmp_path / name, source)


def test_an_output_that_cannot_be_made_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        check_output(tmp_path / "none" / "out.task", source)
    with pytest.raises(BadInput, match="is a folder"):
        check_output(tmp_path, source)


def test_a_read_only_file_system_is_seen_even_by_root(source: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(mount)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("mounting a file system needs root")
    try:
        with pytest.raises(BadInput, match="cannot be written") as caught:
            check_output(mount / "out.task", source)
        assert "Read-only file system" in caught.value.why
    finally:
        subprocess.run(["umount", str(mount)], check=True)
