"""`envguard run tune`: which pictures are measured on, what is refused, and what a user gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from tests.support.command import envguard
from tests.support.documents import problems

CATALOG = builtin_catalog()
TASK = CATALOG.tasks["tune"]


def test_each_kind_of_bundle_is_measured_on_the_pictures_that_it_is_verified_with() -> None:
    (step,) = TASK.steps
    verify = next(step for step in CATALOG.tasks["quantize"].steps if step.name == "verify")
    for kind in ("face", "hand", "pose"):
        assert step.inputs[kind] == verify.inputs[kind]


def test_pictures_are_an_input_that_the_user_may_give() -> None:
    assert TASK.optional_inputs == ("images",)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("none.task",), "The input none.task does not exist."),
        (("model.task", "--images", "none"), "cannot be read."),
        (("model.task", "--images", "."), "has 0 files to measure on."),
        (("model.task", "--images", "sample:none"), "There is no 'sample:none' to measure on."),
        (("model.task", "--seconds", "0"), "Invalid value for '--seconds'"),
        (("model.task", "-o", "model.task"), "is the input itself."),
        (("model.task", "--report", "none/report.md"), "does not exist."),
        (("model.task", "-o", "out", "--report", "out"), "The report out is the output itself."),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_sentence_before_anything_is_built(
    arguments: tuple[str, ...], what: str, tmp_path: Path
) -> None:
    (tmp_path / "model.task").write_bytes(b"a model")
    home = tmp_path.with_name(f"{tmp_path.name}-home")
    ended = envguard("run", "tune", *arguments, home=home, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert what in ended.err.splitlines()[0]
    assert "building" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["model.task"]


@pytest.mark.network
@pytest.mark.slow
def test_a_bundle_is_measured_and_told_and_every_round_kept(store_home: Path, tmp_path: Path) -> None:
    kept, report = tmp_path / "out.json", tmp_path / "report.md"
    ended = envguard(
        "run", "tune", "sample:face_landmarker", "--images", "sample:face", "--seconds", "0.1", "--json",
        "-o", kept, "--report", report, home=store_home, cwd=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    document = ended.document
    assert problems(document, "TuneDocument") == []
    assert (document["task"], document["kind"], document["output"]["path"]) == ("tune", "face", str(kept))
    assert {trial["verdict"] for trial in document["trials"]} <= {"faster", "slower", "same", "unclear"}
    assert all(trial["found"]["before"] > 0 for trial in document["trials"])
    assert set(document["code"]) == {"Java", "Kotlin", "Swift", "Python", "JavaScript"}
    measured = json.loads(kept.read_text())
    assert measured["trials"] == document["trials"]
    assert len(measured["rounds_ms"][0]) == measured["control"]["rounds"]
    assert report.read_text().startswith("# face_landmarker.task: runtime options\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "report.md"]


@pytest.mark.network
@pytest.mark.slow
def test_a_model_that_is_no_landmarker_is_bad_input(store_home: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(b"\x00\x00\x00\x00TFL3" + bytes(64))
    ended = envguard("run", "tune", model, home=store_home)
    assert ended.code == 2, ended.err
    assert "is not a face, hand, pose or gesture bundle" in ended.err
