"""Which models the arguments mean: what lies in a folder, where outputs go, and what would be written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.models.model_files import Model, check_report, is_one, several_models
from tests.support.command import envguard
from tests.support.environments import workshop


def models_of(*arguments: Path, folder: Path | None = None) -> dict[str, Model]:
    return several_models([str(each) for each in arguments], folder, workshop(Path("no-store")))


def files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_of_a_folder_its_models_are_meant_and_no_output_of_a_run(tmp_path: Path) -> None:
    files(tmp_path, "b.tflite", "A.task", "C.TFLITE", "b.int8.tflite", "A.int8.task", "notes.txt", ".part.task")
    files(tmp_path, "deeper/d.task", "folder.task/e.task")
    assert list(models_of(tmp_path)) == ["A.task", "C.TFLITE", "b.tflite"]


def test_a_folder_stands_for_several_even_if_it_holds_one(tmp_path: Path) -> None:
    assert is_one(["sample:face_landmarker"])
    assert is_one([str(tmp_path / "a.task")])
    assert not is_one([str(tmp_path)])
    assert not is_one(["a.task", "b.task"])


def test_outputs_lie_beside_the_models_or_in_the_folder(tmp_path: Path) -> None:
    files(tmp_path, "a.task", "b.tflite")
    assert [model.target for model in models_of(tmp_path).values()] == [
        tmp_path / "a.int8.task",
        tmp_path / "b.int8.tflite",
    ]
    assert [model.target for model in models_of(tmp_path, folder=tmp_path / "out").values()] == [
        tmp_path / "out" / "a.int8.task",
        tmp_path / "out" / "b.int8.tflite",
    ]


def test_models_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    files(tmp_path, "x/a.task", "y/a.task", "y/b.task")
    assert list(models_of(tmp_path / "x", tmp_path / "y")) == [
        str(tmp_path / "x" / "a.task"),
        str(tmp_path / "y" / "a.task"),
        "b.task",
    ]


def test_outputs_that_would_be_one_file_are_refused(tmp_path: Path) -> None:
    files(tmp_path, "x/a.task", "y/a.task")
    with pytest.raises(BadInput, match="are the same file"):
        models_of(tmp_path / "x", tmp_path / "y", folder=tmp_path / "out")
    with pytest.raises(BadInput, match="are the same file"):
        models_of(tmp_path / "x", tmp_path / "x" / ".." / "x" / "a.task")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with pytest.raises(BadInput, match="are the same file"):
        models_of(tmp_path / "x" / "a.task", tmp_path / "link" / "a.task")


def test_an_output_that_would_be_an_input_is_refused(tmp_path: Path) -> None:
    files(tmp_path, "a.task", "a.int8.task")
    with pytest.raises(BadInput, match="which is an input"):
        models_of(tmp_path / "a.task", tmp_path / "a.int8.task")


def test_a_report_does_not_land_on_a_model_or_an_output(tmp_path: Path) -> None:
    files(tmp_path, "a.task")
    models = list(models_of(tmp_path).values())
    for name in ("a.task", "a.int8.task"):
        with pytest.raises(BadInput, match="is an input or an output"):
            check_report(tmp_path / name, models)
    check_report(tmp_path / "report.md", models)


def test_a_folder_without_models_is_bad_input(tmp_path: Path) -> None:
    files(tmp_path, "a.int8.task", "deeper/b.task")
    with pytest.raises(BadInput, match="contains no models"):
        models_of(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("x/a.task", "y/a.task", "-o", "out"),
        ("x", "y/a.task", "-o", "y/a.task"),
        ("x", "-o", "no/such/out"),
        ("x", "--report", "x/a.task"),
        ("empty",),
        ("x", "--jobs", "0"),
        ("x", "y/b.task", "--drop", "face_blendshapes", "--edition", "no-such"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_built(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    files(tmp_path, "x/a.task", "y/a.task", "y/b.task")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    home = tmp_path.with_name(f"{tmp_path.name}-home")
    ended = envguard("run", "quantize", *arguments, home=home, cwd=tmp_path, ENVGUARD_PROJECT=str(tmp_path.parent))
    assert ended.code in (2, 3), ended.err
    assert "building" not in ended.err
    assert sorted(tmp_path.rglob("*")) == before
    assert not (home / "environments").exists()
