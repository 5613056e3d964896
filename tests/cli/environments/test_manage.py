"""Environments to have and to work in, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.backends.command import command_line
from tests.support.command import envguard

pytestmark = [pytest.mark.network]

POISON = "raise SystemExit('poison was imported')\n"


def test_python_is_isolated_and_a_script_keeps_its_folder() -> None:
    python = "/env/bin/python"
    assert command_line(["python", "-c", "x"], python) == [python, "-I", "-B", "-c", "x"]
    assert command_line(["python3", "-m", "x"], python) == [python, "-I", "-B", "-m", "x"]
    assert command_line(["python3.11"], python) == [python, "-I", "-B"]
    assert command_line(["python", "work.py", "-v"], python) == [python, "-E", "-s", "-B", "work.py", "-v"]
    assert command_line(["python", "-m", "x"], python, here=True) == [python, "-E", "-s", "-B", "-m", "x"]
    assert command_line(["pytest", "-q"], python) == ["pytest", "-q"]


@pytest.mark.slow
def test_create_builds_once_and_path_names_it(store_home: Path) -> None:
    first = envguard("create", "samples", "--json", home=store_home)
    assert first.code == 0, first.err
    (environment,) = first.document["environments"]
    again = envguard("create", "samples", "--json", home=store_home).document["environments"][0]
    assert again["built_now"] is False
    named = Path(envguard("path", "samples", home=store_home).out.strip())
    assert named.parent == Path(environment["folder"])
    assert Path(envguard("path", "samples", "--python", home=store_home).out.strip()) == named / "bin" / "python"


@pytest.mark.slow
def test_list_tells_what_is_ready(store_home: Path, tmp_path: Path) -> None:
    assert envguard("create", "samples", home=store_home).code == 0
    rows = {row["name"]: row for row in envguard("list", "--json", home=store_home).document["environments"]}
    assert rows["samples"]["ready"] is True
    empty = {row["name"]: row for row in envguard("list", "--json", home=tmp_path).document["environments"]}
    assert empty["samples"]["ready"] is False
    assert empty["samples"]["why"] == "it is not built yet"


@pytest.mark.slow
@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exec_passes_exit_codes_through(store_home: Path, code: int) -> None:
    assert envguard("exec", "samples", "--", "python", "-c", f"raise SystemExit({code})", home=store_home).code == code


@pytest.mark.slow
def test_exec_sees_nothing_of_a_poisoned_host(store_home: Path, tmp_path: Path) -> None:
    for module in ("sitecustomize", "usercustomize", "encodings_extra", "colorsys"):
        (tmp_path / f"{module}.py").write_text(POISON)
    evil = str(tmp_path)
    hostile = {
        "PYTHONPATH": evil, "PYTHONHOME": evil, "PYTHONSTARTUP": f"{evil}/colorsys.py", "PYTHONUSERBASE": evil,
        "PYTHONPLATLIBDIR": "x", "PYTHONINSPECT": "1", "LD_LIBRARY_PATH": evil, "LD_PRELOAD": f"{evil}/x.so",
        "DYLD_LIBRARY_PATH": evil, "VIRTUAL_ENV": evil, "CONDA_PREFIX": evil, "PIP_TARGET": evil,
        "UV_CONFIG_FILE": evil,
    }  # fmt: skip
    code = "import colorsys, os, sys; print(sorted(os.environ), sys.path)"
    ended = envguard("exec", "samples", "--", "python", "-c", code, home=store_home, cwd=tmp_path, **hostile)
    assert ended.code == 0, ended.err
    assert evil not in ended.out
    assert not [name for name in hostile if name != "VIRTUAL_ENV" and f"'{name}'" in ended.out]


@pytest.mark.slow
def test_the_environments_programs_come_first(store_home: Path) -> None:
    script = "command -v python; python -c 'import sys; print(sys.prefix)'"
    ended = envguard("exec", "samples", "--", "sh", "-c", script, home=store_home)
    folder = envguard("path", "samples", home=store_home).out.strip()
    assert ended.out.splitlines() == [f"{folder}/bin/python", folder]


def test_exec_without_a_command_is_told_so(tmp_path: Path) -> None:
    for arguments in (["exec", "samples"], ["exec", "samples", "--"]):
        ended = envguard(*arguments, home=tmp_path)
        assert ended.code == 2
        assert ended.err.startswith("envguard: ")


def test_a_shell_in_a_container_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    ended = envguard(
        "shell", "samples", home=tmp_path, ENVGUARD_BACKEND="container", DOCKER_HOST="unix:///nowhere.sock"
    )
    assert (ended.code, "A shell needs a terminal" in ended.err) == (2, True)
    unknown = envguard("shell", "samples", home=tmp_path, ENVGUARD_BACKEND="nowhere")
    assert (unknown.code, "Choose one of: venv, container." in unknown.err) == (2, True)


@pytest.mark.slow
def test_shell_starts_the_users_shell_inside(store_home: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "envguard", "shell", "samples"],
        env={**os.environ, "ENVGUARD_HOME": str(store_home), "SHELL": "/bin/sh"},
        input="command -v python\nexit 5\n",
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 5
    assert ended.stdout.strip().startswith(str(store_home))


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [[], ["--frozen"]], ids=["warm", "cold"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_here_may_stand_before_and_after_the_name(
    store_home: Path, tmp_path: Path, place: str, frozen: list[str]
) -> None:
    (tmp_path / "mine.py").write_text("ANSWER = 42\n")
    given = ["--here", *frozen, "samples"] if place == "before" else ["samples", *frozen, "--here"]
    ended = envguard(
        "exec", *given, "--", "python", "-c", "import mine; print(mine.ANSWER)", home=store_home, cwd=tmp_path
    )
    assert ended.out == "42\n", ended.err
