"""`envguard run verify`: which original is meant, what is refused, and what a user gets."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from envguard.catalog import builtin_catalog
from envguard.files import file_facts
from envguard.running.receipt import Receipt, ReceiptEnvironment, ReceiptFile, ReceiptStep
from tests.support.command import envguard
from tests.support.documents import problems
from tests.support.environments import workshop

CATALOG = builtin_catalog()


def test_both_tasks_verify_with_the_same_pictures_and_the_browser_only_on_request() -> None:
    for name in ("quantize", "verify"):
        task = CATALOG.tasks[name]
        assert "web" not in [step.name for step in task.steps]
        verify, web = (step for step in task.including(["web"]).steps if step.name in ("verify", "web"))
        for kind in ("face", "hand", "pose"):
            assert verify.inputs[kind] == web.inputs[kind]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("none.task",), "The input none.task does not exist."),
        (("model.task", "--against", "none.task"), "The input none.task does not exist."),
        (("model.task", "--roads", "cpu,moon"), "There is no road 'moon'."),
        (("model.task", "--images", "none"), "cannot be read."),
        (("model.task", "--report", "model.task"), "is the input itself."),
    ],
)
def test_what_cannot_be_verified_is_told_in_one_sentence_before_anything_is_built(
    arguments: tuple[str, ...], what: str, tmp_path: Path
) -> None:
    (tmp_path / "model.task").write_bytes(b"a model")
    home = tmp_path.with_name(f"{tmp_path.name}-home")
    ended = envguard("run", "verify", *arguments, home=home, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert what in ended.err.splitlines()[0]
    assert "building" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["model.task"]


@pytest.mark.network
@pytest.mark.slow
class TestFace:
    def verified(self, store_home: Path, folder: Path, *arguments: str | Path, **environ: str) -> dict[str, Any]:
        ended = envguard("run", "verify", *arguments, "--json", home=store_home, cwd=folder, **environ)
        assert ended.code in (0, 1), ended.err
        assert problems(ended.document, "VerifyDocument") == []
        assert ended.code == int(ended.document["verdict"] != "yes")
        return ended.document

    def test_without_an_original_it_is_known_that_it_is_taken(self, store_home: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.md"
        found = self.verified(store_home, tmp_path, "sample:face_landmarker", "--roads", "cpu", "--report", report)
        assert (found["verdict"], found["kind"], found["original"]) == ("yes", "face", None)
        cpu = roads(found)["cpu"]["run"]
        assert (cpu["original_taken"], cpu["copy_taken"]) == (None, True)
        assert cpu["measures"]["counts"]["after"] > 0
        assert cpu["measures"]["landmark_shift"] is None
        assert "no original" in report.read_text()

    def test_the_original_is_the_one_that_the_receipt_names_if_it_is_still_there(
        self, store_home: Path, tmp_path: Path
    ) -> None:
        """A receipt as `run quantize` leaves one, of the original itself."""
        (source,) = workshop(store_home).sample("face_landmarker").values()
        bundle, original = tmp_path / "face.int8.task", tmp_path / "face.task"
        for copy in (bundle, original):
            shutil.copy(source, copy)
        (tmp_path / "face.int8.task.receipt.json").write_text(receipt(source, "face.task"))
        found = self.verified(store_home, tmp_path, bundle, "--roads", "cpu")
        assert found["verdict"] == "yes"
        assert roads(found)["cpu"]["run"]["measures"]["landmark_shift"]["px"]["max"] == 0.0
        original.write_bytes(source.read_bytes() + b"changed")
        assert self.verified(store_home, tmp_path, bundle, "--roads", "cpu")["original"] is None

    def test_a_road_that_was_asked_for_and_cannot_be_run_is_not_called_good(
        self, store_home: Path, tmp_path: Path
    ) -> None:
        found = self.verified(
            store_home, tmp_path, "sample:face_landmarker", "--roads", "cpu,web", ENVGUARD_BROWSER="/nowhere/chrome"
        )
        assert found["verdict"] == "unverified"
        web = roads(found)["web-gpu"]["run"]
        assert web["ran"] is False
        assert "apt install chromium" in web["reason"]

    def test_the_browser_runs_the_bundle_offline_too(self, browser: str, store_home: Path, tmp_path: Path) -> None:
        workshop(store_home).prepare("web")
        found = self.verified(
            store_home, tmp_path, "sample:face_landmarker", "--roads", "web-cpu", "--offline", ENVGUARD_BROWSER=browser
        )
        assert found["verdict"] == "yes"
        run = roads(found)["web-cpu"]["run"]
        assert (run["ran"], run["copy_taken"]) == (True, True)
        assert run["measures"]["counts"]["after"] > 0


def roads(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {road["road"]: road for road in document["roads"]}


def receipt(source: Path, name: str) -> str:
    """The receipt of a run of `quantize` that made of a file named `name` one with the same bytes."""
    facts = file_facts(source)
    made = ReceiptFile("face.int8.task", facts.bytes, facts.sha256)
    environment = ReceiptEnvironment("quantize", "0.10", "0" * 64, "3.11.7", "a build", "linux-x86_64", "glibc 2.36")
    step = ReceiptStep("quantize", "quantize", "0" * 64, 1.0, {}, {"quantized": (made,)}, run="steps.quantize")
    return Receipt(
        task="quantize",
        task_sha256="0" * 64,
        envguard="1",
        date="2026-01-01T00:00:00Z",
        options={},
        environments=(environment,),
        steps=(step,),
        inputs={"input": ReceiptFile(name, facts.bytes, facts.sha256)},
        outputs={"output": made},
    ).text()
