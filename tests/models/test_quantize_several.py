"""`envguard run quantize FOLDER --jobs 2` from end to end: real environments, real models, one of them broken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.host.variables import step_variables
from tests.support.command import Ended, envguard
from tests.support.documents import problems
from tests.support.environments import workshop
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.network, pytest.mark.slow]

MAKE_MODELS = Path(__file__).resolve().parents[1] / "support" / "inside" / "make_models.py"


@pytest.fixture(scope="module")
def models(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small float model, one that is quantized already, one cut off, and one of MediaPipe's."""
    folder = tmp_path_factory.mktemp("models")
    shop = workshop(store_home)
    python = shop.prepare("quantize").built.layout.python
    subprocess.run([python, "-I", "-B", MAKE_MODELS, folder], env=step_variables(os.environ), check=True)
    mediapipe = shop.prepare("verify").built.layout.site_packages / "mediapipe" / "modules"
    (detector,) = mediapipe.rglob("face_detection_short_range.tflite")
    (folder / detector.name).write_bytes(detector.read_bytes())
    (folder / "broken.tflite").write_bytes(detector.read_bytes()[:100_000])
    return folder


@pytest.fixture(scope="module")
def ended(store_home: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """All of them at once, two at a time."""
    folder = tmp_path_factory.mktemp("run")
    arguments = (
        "run",
        "quantize",
        models,
        "--for",
        "cpu",
        "--jobs",
        "2",
        "--json",
        "-o",
        "out",
        "--report",
        "report.md",
    )
    run = envguard(*arguments, home=store_home, cwd=folder)
    assert sorted(path.name for path in folder.iterdir()) == ["out", "report.md"]
    assert (folder / "report.md").read_text(encoding="utf-8").count("\n## ") == 4
    return run


def test_what_fails_does_not_stop_the_rest(ended: Ended, models: Path) -> None:
    assert ended.code == 2, ended.err
    document = ended.document
    assert (document["schema"], document["task"], document["verdict"]) == (2, "quantize", "no")
    assert problems(document, "SeveralDocument") == []
    runs = {Path(run["input"]["path"]).name: run for run in document["runs"]}
    assert {name: run["verdict"] for name, run in runs.items()} == {
        "again.tflite": "failed",
        "broken.tflite": "failed",
        "face_detection_short_range.tflite": "yes",
        "small.tflite": "yes",
    }
    assert "quantized already" in runs["again.tflite"]["error"]
    assert "not a whole TFLite model" in runs["broken.tflite"]["error"]
    assert {runs[name]["exit_code"] for name in ("again.tflite", "broken.tflite")} == {2}
    outputs = [Path(runs[name]["output"]["path"]) for name in ("face_detection_short_range.tflite", "small.tflite")]
    assert sorted(path.name for path in outputs[0].parent.iterdir()) == [
        "face_detection_short_range.int8.tflite",
        "face_detection_short_range.int8.tflite.receipt.json",
        "small.int8.tflite",
        "small.int8.tflite.receipt.json",
    ]
    assert len(list(models.iterdir())) == 4


def test_progress_says_whose_it_is(ended: Ended) -> None:
    lines = ended.err.splitlines()
    for name in ("small.tflite", "face_detection_short_range.tflite"):
        steps = [line.split(": ")[1] for line in lines if line.startswith(f"{name}: ")]
        assert [step for step in steps if step in ("inspect", "quantize", "compare", "verify")] == [
            "inspect", "quantize", "compare", "verify",
        ]  # fmt: skip


def test_what_fails_is_told_when_it_does(ended: Ended) -> None:
    assert "broken.tflite: failed: broken is not a whole TFLite model." in ended.err.splitlines()


def test_each_document_and_receipt_is_that_of_a_model_alone(store_home: Path, ended: Ended, tmp_path: Path) -> None:
    (several,) = (run for run in ended.document["runs"] if run["input"]["path"].endswith("small.tflite"))
    alone = envguard(
        "run",
        "quantize",
        several["input"]["path"],
        "--for",
        "cpu",
        "-o",
        tmp_path / "one.tflite",
        "--fresh",
        "--json",
        home=store_home,
    ).document
    assert alone.keys() == several.keys()
    assert alone["output"]["sha256"] == several["output"]["sha256"]
    receipts = []
    for document in (alone, several):
        receipt = json.loads(Path(document["output"]["path"] + ".receipt.json").read_text(encoding="utf-8"))
        receipts.append([(step["name"], step["code"]) for step in receipt["steps"]] + [receipt["options"]])
    assert receipts[0] == receipts[1]


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups to send Ctrl-C to")
def test_ctrl_c_ends_all_and_leaves_nothing(store_home: Path, models: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-m", "envguard", "run", "quantize", models, "--jobs", "2", "-o", tmp_path / "out"]
    command.append("--fresh")
    home = tmp_path / "home"  # other tests run in the shared store at the same time; this one's runs are its own
    home.mkdir()
    for part in store_home.iterdir():
        if part.name != "runs":
            (home / part.name).symlink_to(part)
    environ = {**os.environ, "ENVGUARD_HOME": str(home)}
    with subprocess.Popen(
        list(map(str, command)), env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stderr is not None
        said = ""
        while "inspect: ok" not in said:  # from here on a step runs at nearly any moment
            line = run.stderr.readline()
            assert line, said
            said += line
        wait_until(lambda: any(home.glob("runs/**/calibrate.request.json")), run)
        os.killpg(run.pid, signal.SIGINT)
        said += run.stderr.read()
        assert run.wait() == 130, said
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
    assert not list((home / "runs").iterdir())
