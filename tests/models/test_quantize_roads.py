"""The road `gpu` from the command line: what the delegate refuses is a no in its own words, what it takes a yes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.environments import workshop

MAKE_MODELS = Path(__file__).resolve().parents[1] / "support" / "inside" / "make_models.py"

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.usefixtures("gpu")]


@pytest.fixture(scope="module")
def model(store_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small float32 model."""
    folder = tmp_path_factory.mktemp("models")
    python = workshop(store_home).prepare("quantize").built.layout.python
    subprocess.run([python, "-I", "-B", MAKE_MODELS, folder], check=True, capture_output=True)
    return folder / "small.tflite"


def test_int8_weights_behind_dequantize_are_a_no_on_the_gpu(model: Path, store_home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.tflite"
    ended = envguard(
        "run", "quantize", model, "-o", output, "--for", "cpu", "--roads", "cpu,gpu", "--json", home=store_home
    )
    assert ended.code == 1, ended.err
    assert not output.exists()
    assert [failure["name"] for failure in ended.document["failures"]] == ["gpu-refuses"]
    assert "DEQUANTIZE: Operation is not supported" in ended.document["failures"][0]["message"]
    roads = {road["road"]: road for road in ended.document["roads"]}
    assert [roads[road]["basis"] for road in ("cpu", "gpu")] == ["run", "run"]
    run = roads["gpu"]["run"]
    assert (run["original_taken"], run["copy_taken"]) == (True, False)


def test_the_same_is_a_yes_where_only_the_cpu_is_asked(model: Path, store_home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.tflite"
    ended = envguard(
        "run", "quantize", model, "-o", output, "--for", "cpu", "--allow-slower", "--json", home=store_home
    )
    assert ended.code == 0, ended.err
    assert output.is_file()
    gpu = next(road for road in ended.document["roads"] if road["road"] == "gpu")
    assert gpu["run"] is None


def test_a_file_for_anywhere_is_taken_by_the_gpu(model: Path, store_home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.tflite"
    ended = envguard("run", "quantize", model, "-o", output, "--allow-slower", "--json", home=store_home)
    assert ended.code == 0, ended.err
    gpu = next(road for road in ended.document["roads"] if road["road"] == "gpu")
    assert (gpu["lint"]["verdict"], gpu["run"]["original_taken"], gpu["run"]["copy_taken"]) == ("taken", True, True)
    assert output.stat().st_size < 0.95 * model.stat().st_size


def test_nothing_is_done_twice_and_another_goal_knows_what_the_file_holds(
    model: Path, store_home: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.tflite"
    given = ("run", "quantize", model, "-o", output, "--allow-slower", "--report", tmp_path / "page.html")
    first = envguard(*given, "--fresh", "--json", home=store_home).document
    made = output.read_bytes()
    assert not any(step["reused"] for step in first["steps"])
    assert "this run" not in (tmp_path / "page.html").read_text()
    again = envguard(*given, "--json", home=store_home).document
    assert all(step["reused"] for step in again["steps"])
    assert (again["verdict"], output.read_bytes()) == (first["verdict"], made)
    assert again["steps"][-1]["reused"] in (tmp_path / "page.html").read_text()
    other = envguard(*given, "--goal", "size", "--json", home=store_home).document
    assert {step["name"] for step in other["steps"] if step["reused"]} >= {"inspect", "calibrate"}  # or all, by then


def test_a_model_for_itself_is_judged_by_whether_the_gpu_takes_it_and_the_rules_knew(
    model: Path, store_home: Path
) -> None:
    refused_model = model.with_name("again.tflite")
    for path, verdict, code, answer in ((model, "taken", 0, "yes"), (refused_model, "refused", 1, "no")):
        ended = envguard("run", "verify", path, "--roads", "gpu", "--json", home=store_home)
        assert (ended.code, ended.document["verdict"]) == (code, answer), ended.err
        assert [failure["name"] for failure in ended.document["failures"]] == ["road-refuses"] * code
        gpu = next(road for road in ended.document["roads"] if road["road"] == "gpu")
        assert (gpu["lint"]["verdict"], gpu["run"]["copy_taken"]) == (verdict, code == 0)
