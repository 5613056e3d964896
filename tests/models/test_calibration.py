"""`--calibration`: which files a folder, a file or a sample stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.errors import BadInput
from envguard.models.calibration import CALIBRATION, calibration_files
from envguard.running.environments.preparing import Workshop

TASKS = builtin_catalog().tasks


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A workshop that builds nothing."""
    home = tmp_path / "home"
    return Workshop(home=home, user_home=home, environ={}, catalog=builtin_catalog(), receive=lambda event: None)


@pytest.mark.parametrize("task", ["quantize", "convert"])
def test_calibration_is_an_input_that_the_user_may_give(task: str) -> None:
    assert TASKS[task].optional_inputs == (CALIBRATION,)
    assert TASKS[task].inputs == ("input",)


def test_pictures_and_arrays_of_a_folder_are_taken_and_nothing_else_is(tmp_path: Path, shop: Workshop) -> None:
    for name in ("b.JPG", "a.png", "c.npz", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.png").mkdir()
    assert calibration_files(str(tmp_path), shop) == tuple(tmp_path / name for name in ("a.png", "b.JPG", "c.npz"))


def test_one_file_of_arrays_is_enough(tmp_path: Path, shop: Workshop) -> None:
    (tmp_path / "rows.npy").touch()
    assert calibration_files(str(tmp_path / "rows.npy"), shop) == (tmp_path / "rows.npy",)


@pytest.mark.parametrize("value", ["sample:no-such", "no/such/folder", ".", "notes.txt"])
def test_what_cannot_be_calibrated_with_is_bad_input(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Workshop
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "notes.txt").touch()
    with pytest.raises(BadInput):
        calibration_files(value, shop)
