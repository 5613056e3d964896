"""An error says what happened, why and what to do next, in one format and with its exit code."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.cli.text import error_text, printable
from envguard.errors import BadInput, BrokenData, EnvguardError, Interrupted, NoEnvironment, StepFailed
from tests.support.command import envguard


def test_all_three_parts_are_shown_and_empty_ones_are_not() -> None:
    error = NoEnvironment("It failed.", why="one\ntwo", next_step="Try again.")
    assert error_text(error) == "envguard: It failed.\n  why:  one\n        two\n  next: Try again."
    assert error_text(BadInput("It failed.")) == "envguard: It failed."


def test_hostile_names_cannot_reach_the_terminal() -> None:
    assert printable("a\x1b[2J\r\u202eb\nc") == "a\\x1b[2J\\r\\u202eb\nc"


@pytest.mark.parametrize(
    ("kind", "code"), [(BadInput, 2), (BrokenData, 2), (StepFailed, 1), (NoEnvironment, 3), (Interrupted, 130)]
)
def test_exit_codes_are_those_of_the_design(kind: type[EnvguardError], code: int) -> None:
    assert kind("x").exit_code == code
    assert kind("x").as_json()["exit_code"] == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "quantize", "x", "--jsn"], "No such option: --jsn"),
        (["run", "quantize"], "Missing argument"),
        (["frobnicate"], "No such command"),
        (["lock", "nothing"], "no environment 'nothing'"),
        (["run", "quantize", "sample:nothing"], "no sample file 'nothing'"),
    ],
)
def test_wrong_usage_is_exit_code_2_in_the_same_format(tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = envguard(*arguments, home=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("envguard: ")
    assert said in ended.err
    assert "\n  next: " in ended.err
    assert "Traceback" not in ended.err


def test_every_error_of_the_host_says_what_to_do_next() -> None:
    kinds = {kind.__name__ for kind in (BadInput, BrokenData, StepFailed, NoEnvironment)} | {"CheckFailed"}
    silent = []
    for path in (Path(__file__).parents[2] / "envguard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in kinds:
                continue
            if not any(keyword.arg == "next_step" for keyword in node.keywords):
                silent.append(f"{path.name}:{node.lineno}: {ast.unparse(node)[:80]}")
    assert silent == []


def test_a_command_that_is_not_there_is_told_in_the_same_format() -> None:
    code = "import sys; from envguard.backends.becoming import become; sys.exit(become(['no-such-command'], {}))"
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert ended.returncode == 127
    assert ended.stderr.startswith("envguard: The command 'no-such-command'")
    assert "\n  next: " in ended.stderr


def test_an_error_is_json_too_when_json_was_asked_for(tmp_path: Path) -> None:
    ended = envguard("run", "quantize", tmp_path / "none.task", "--json", home=tmp_path)
    assert ended.code == 2
    assert json.loads(ended.out)["error"].endswith("none.task does not exist.")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in envguard("--debug", "run", "quantize", "none.task", home=tmp_path).err


@pytest.mark.parametrize("arguments", [[], ["run"], ["--help"], ["-h"]])
def test_help_is_printed_when_nothing_or_help_is_asked_for(tmp_path: Path, arguments: list[str]) -> None:
    ended = envguard(*arguments, home=tmp_path)
    assert "Usage: envguard" in ended.out
    assert ended.err == ""


def test_a_poisoned_python_configuration_does_not_reach_envguard_itself(tmp_path: Path) -> None:
    for module in ("typer", "json", "sitecustomize"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('poison was imported')\n")
    launcher = Path(sys.executable).with_name("envguard")
    if not launcher.exists():
        pytest.skip("this Python has no envguard command beside it; `make test` makes one")
    poison = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path), "PYTHONUSERBASE": str(tmp_path)}
    ended = subprocess.run(
        [launcher, "--version"], env={**os.environ, **poison}, cwd=tmp_path, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_plain_start_with_a_poisoned_pythonpath_starts_again_isolated(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise SystemExit('poison was imported')\n")
    ended = subprocess.run(
        [sys.executable, "-m", "envguard", "--version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
