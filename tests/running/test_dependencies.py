"""A task runs what it depends on first, each once, and only goes on where they say yes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.errors import BrokenData
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.projects import catalog_of, write_project


def task(name: str, depends_on: list[str], output: str = "") -> str:
    """A task that writes its name down in a file of the test's, which it is told of, and then ends as `CODE_NAME`."""
    return f"""
[tasks.{name}]
summary = "{name}"
depends-on = {json.dumps(depends_on)}
{output}
[[tasks.{name}.steps]]
name = "do"
environment = "one"
command = ["python", "do.py", "{name}", "{{output.out}}"]
outputs = {{ out = "out.txt" }}
pass-env = ["DIARY", "CODE_{name.upper()}"]
"""


DO = """
    import os, sys
    from pathlib import Path
    name, out = sys.argv[1:]
    Path(out).write_text(name)
    with open(os.environ["DIARY"], "a") as diary:
        diary.write(f"{name} ")
    sys.exit(int(os.environ.get(f"CODE_{name.upper()}", "0")))
"""
TASKS = (
    task("lint", [])
    + task("unit", ["lint"])
    + task("docs", ["lint"], 'output = "do:out"')
    + task("release", ["unit", "docs"], 'output = "do:out"')
)


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environment."""
    return tmp_path_factory.mktemp("home")


def test_each_runs_once_and_after_what_it_depends_on(tmp_path: Path, home: Path, python: str) -> None:
    project = write_project(tmp_path / "project", python, TASKS, {"do.py": DO})
    diary = tmp_path / "diary.txt"
    done = envguard("run", "release", "-o", "out.txt", home=home, cwd=project, DIARY=str(diary))
    assert done.code == 0, done.err
    assert diary.read_text().split() == ["lint", "unit", "docs", "release"]
    assert (project / "out.txt").read_text() == "release"


def test_the_first_no_is_the_verdict(tmp_path: Path, home: Path, python: str) -> None:
    project = write_project(tmp_path / "project", python, TASKS, {"do.py": DO})
    diary = tmp_path / "diary.txt"
    line = ("run", "release", "-o", "out.txt")
    done = envguard(*line, home=home, cwd=project, DIARY=str(diary), CODE_UNIT="1")
    assert done.code == 1
    assert "The task unit, which release depends on, did not say yes." in done.out
    assert diary.read_text().split() == ["lint", "unit"]
    assert not (project / "out.txt").exists()
    document = envguard(*line, "--json", home=home, cwd=project, DIARY=str(diary), CODE_LINT="1").document
    assert (document["task"], document["verdict"]) == ("lint", "no")


def test_a_circle_is_refused_with_its_way(tmp_path: Path, python: str) -> None:
    circle = task("a", ["b"]) + task("b", ["c"]) + task("c", ["b"])
    with pytest.raises(BrokenData, match="depends on itself: b → c → b"):
        catalog_of(write_project(tmp_path / "project", python, circle, {"do.py": DO}))
