"""`--calibration`: what a folder or a sample puts in place of the catalog's own pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.catalog.model import PayloadStep, Task
from envguard.errors import BadInput
from envguard.models.calibration import STEP, calibrated_with

CATALOG = builtin_catalog()
TASK = CATALOG.tasks["quantize"]


def inputs_of(task: Task) -> Mapping[str, str]:
    (step,) = (step for step in task.steps if isinstance(step, PayloadStep) and step.name == STEP)
    assert step.options["own"] is True
    return {name: str(reference) for name, reference in step.inputs.items()}


def test_a_sample_takes_the_place_of_the_pictures() -> None:
    task = calibrated_with(TASK, "sample:face", CATALOG)
    assert inputs_of(task) == {"model": "task:input", "picture": "sample:face"}


def test_pictures_and_arrays_of_a_folder_are_given_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.npz", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.png").mkdir()
    task = calibrated_with(TASK, str(tmp_path), CATALOG)
    assert task.folder == tmp_path
    assert inputs_of(task) == {
        "model": "task:input",
        "picture:a.png": "file:a.png",
        "picture:b.JPG": "file:b.JPG",
        "arrays:c.npz": "file:c.npz",
    }


def test_no_other_step_is_changed() -> None:
    changed = calibrated_with(TASK, "sample:face", CATALOG)
    assert [step for step in changed.steps if step.name != STEP] == [step for step in TASK.steps if step.name != STEP]


@pytest.mark.parametrize("value", ["sample:no-such", "no/such/folder", "."])
def test_what_cannot_be_calibrated_with_is_bad_input(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput):
        calibrated_with(TASK, value, CATALOG)
