"""A newcomer sets no variable of ours: what is built goes into the user's cache folder, and is found there again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import envguard
from envguard.cli.environments.warm import store_known_at_once
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.store.home import envguard_home
from tests.support.projects import write_project

PLACES = [
    {"HOME": "/home/me"},
    {"HOME": "/home/me", "XDG_CACHE_HOME": "/elsewhere"},
    {"HOME": "/home/me", "XDG_CACHE_HOME": "relative"},
    {"HOME": "/home/me", "XDG_CACHE_HOME": ""},
    {"HOME": "/home/me", "ENVGUARD_HOME": "/store"},
]
STARTS = {"launcher": ["-I", "-S", str(Path(envguard.__file__).with_name("__main__.py"))], "module": ["-m", "envguard"]}


@pytest.mark.skipif(sys.platform != "linux", reason="the cache folder is elsewhere on other systems")
@pytest.mark.parametrize("start", STARTS)
def test_exec_works_cold_and_warm_without_a_variable_of_ours(start: str, tmp_path: Path, host: HostFacts) -> None:
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    home = tmp_path / "home"
    home.mkdir()
    said = {"trust": f"{project}: trusted, 3 files", "cold": "cold", "warm": "warm"}
    for word in ("trust", "cold", "warm"):
        arguments = ["trust"] if word == "trust" else ["exec", "one", "--", "python", "-c", f"print('{word}')"]
        ended = subprocess.run(
            [sys.executable, *STARTS[start], *arguments],
            cwd=project,
            env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout.splitlines()[-1:]) == (0, [said[word]]), ended.stderr
    assert list((home / ".cache" / "envguard" / "environments").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="the cache folder is elsewhere on other systems")
@pytest.mark.parametrize("variables", PLACES)
def test_a_warm_start_looks_where_everything_else_does(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "ENVGUARD_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert store_known_at_once(os.environ) == str(envguard_home())


@pytest.mark.parametrize("variables", [{}, {"HOME": "relative"}, {"HOME": "/home/me", "ENVGUARD_HOME": "relative"}])
def test_what_takes_more_to_know_is_left_to_the_whole_command_line(variables: dict[str, str]) -> None:
    assert store_known_at_once(variables) == ""
