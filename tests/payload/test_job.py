"""A task runs from its file alone, step by step, and its outputs appear if every gate was passed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from envguard.payload.contract import CheckFindings, TaskFile, TaskResults, TaskStep, from_json, to_json

MAIN = Path(__file__).parents[2] / "envguard" / "payload" / "__main__.py"
PROGRAM = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
job = importlib.import_module("envguard.payload.job")
sys.exit(job.main(sys.argv[2], sys.argv[3], Path(sys.argv[4])))
"""


def run(task: TaskFile, root: Path) -> list[int]:
    """The exit codes of the task's steps and of `publish`."""
    for name in ("input", "work", "output"):
        (root / name).mkdir()
    file = root / "task"
    file.write_text(json.dumps(to_json(task)), encoding="utf-8")
    names = [*(step.name for step in task.steps), "publish"]
    house = str(MAIN.parents[2])
    return [subprocess.run([sys.executable, "-I", "-c", PROGRAM, house, file, name, root]).returncode for name in names]


def task(*modules: str) -> TaskFile:
    steps = tuple(TaskStep(module, "checks.imports", {}, {"modules": [module]}) for module in modules)
    return TaskFile("look", {}, {}, steps, {})


def results(root: Path) -> TaskResults:
    return from_json(TaskResults, json.loads((root / "output" / "look.results.json").read_text(encoding="utf-8")))


def test_every_step_runs_and_what_each_found_is_published(tmp_path: Path) -> None:
    assert run(task("json", "csv"), tmp_path) == [0, 0, 0]
    found = results(tmp_path)
    assert found.failures == ()
    assert found.steps == {name: CheckFindings({"modules": [name]}) for name in ("json", "csv")}


def test_a_gate_that_is_not_passed_is_published_and_is_the_exit_code(tmp_path: Path) -> None:
    assert run(task("json", "no_such_module"), tmp_path) == [0, 0, 1]
    (failure,) = results(tmp_path).failures
    assert (failure.step, failure.name) == ("no_such_module", "import")


def test_the_payload_runs_a_step_of_a_task_file_without_envguard(tmp_path: Path) -> None:
    (tmp_path / "task").write_text(json.dumps(to_json(task("json"))), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-I", MAIN, "job", tmp_path / "task", "absent"], capture_output=True, text=True
    )
    assert (run.returncode, "KeyError: 'absent'" in run.stderr) == (1, True)


def test_the_users_options_are_laid_over_the_catalogs_and_named(tmp_path: Path) -> None:
    step = TaskStep("it", "steps.it", {"model": "task:input"}, {"a": 1, "b": 2}).with_chosen({"b": 3})
    model = (Path("a.tflite"),)
    request = step.request({"model": model}, tmp_path, {})
    assert (request.step, request.inputs, request.folder) == ("steps.it", {"model": model}, tmp_path)
    assert (request.options, request.chosen) == ({"a": 1, "b": 3}, ("b",))
