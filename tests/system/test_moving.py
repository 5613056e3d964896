"""What somebody has open is tried again for a moment; everything else is an error at once."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from envguard.system.moving import HELD_OPEN, PAUSES, make_writable_and_retry, remove_tree, replace, when_closed


class SharingViolation(PermissionError):
    """What Python raises on Windows, where alone errors have this number."""

    winerror = 32


def test_a_file_that_is_open_for_a_moment_is_renamed_after_it() -> None:
    waited: list[float] = []

    def rename() -> str:
        if len(waited) < 3:
            raise SharingViolation(errno.EACCES, "another process has it open")
        return "done"

    assert when_closed(rename, waited.append) == "done"
    assert waited == list(PAUSES[:3])


def test_one_that_stays_open_is_an_error_in_the_end() -> None:
    waited: list[float] = []

    def rename() -> None:
        raise SharingViolation(errno.EACCES, "another process has it open")

    with pytest.raises(SharingViolation):
        when_closed(rename, waited.append)
    assert 1 < sum(waited) < 3
    assert SharingViolation.winerror in HELD_OPEN


def test_what_is_not_allowed_is_not_tried_again() -> None:
    def rename() -> None:
        raise PermissionError(errno.EACCES, "this is not yours")

    with pytest.raises(PermissionError):
        when_closed(rename, lambda _: pytest.fail("it waited"))


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    replace(tmp_path / "new", tmp_path / "old")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["new"]


def test_a_folder_with_files_that_are_only_to_be_read_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "0"
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(b"x")
    (folder / "model.tflite").chmod(0o444)
    remove_tree(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    remove_tree(tmp_path / "run", ignore_errors=True)
    with pytest.raises(FileNotFoundError):
        remove_tree(tmp_path / "run")


def test_what_may_not_be_removed_because_it_is_read_only_is_made_writable_first(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(b"x")
    file.chmod(0o444)
    modes: list[int] = []

    def as_windows_does(path: str) -> None:
        modes.append(stat.S_IMODE(os.stat(path).st_mode))  # noqa: PTH116 - a text, as shutil gives
        if not modes[-1] & stat.S_IWRITE:
            raise PermissionError(errno.EACCES, "it is read-only")
        os.unlink(path)  # noqa: PTH108

    make_writable_and_retry(as_windows_does, str(file), None)
    assert modes == [0o644]
    assert not file.exists()
