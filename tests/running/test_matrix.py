"""A task runs once for every Python and edition, in one table, and any no is the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import Lock, lock_path
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.projects import CUT_OFF, trusted, write_project

TASK = """
    [environments.one.editions.2]
    requirements = []
    [tasks.work]
    summary = "work"
    {matrix}
    [[tasks.work.steps]]
    name = "do"
    environment = "one"
    command = ["python", "-c", "import os, sys; sys.exit(int(os.environ['CODE']))"]
    pass-env = ["CODE"]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


def project_of(folder: Path, host: HostFacts, matrix: str = "", text: str = TASK) -> tuple[Path, str]:
    python = minor_of(host.usable[0])
    project = write_project(folder, python, text.format(matrix=matrix), {})
    path = lock_path(project / "lockfiles", "one", "2", python)
    path.parent.mkdir(parents=True)
    path.write_text(Lock("one", "2", python, CUT_OFF, (), (), ()).text(), encoding="utf-8")
    return trusted(project), python


def test_every_edition_has_its_row(tmp_path: Path, home: Path, host: HostFacts) -> None:
    project, python = project_of(tmp_path, host)
    done = envguard("run", "work", "--matrix", home=home, cwd=project, CODE="0")
    assert done.code == 0, done.err
    rows = [line.split()[:3] for line in done.out.splitlines()]
    assert rows == [["python", "edition", "verdict"], [python, "1", "yes"], [python, "2", "yes"], ["verdict:", "yes."]]


def test_each_run_is_in_an_environment_of_its_own(tmp_path: Path, home: Path, host: HostFacts) -> None:
    text = TASK.replace("sys.exit(int(os.environ['CODE']))", "sys.exit(sys.prefix)")
    project, _ = project_of(tmp_path, host, text=text)
    runs = envguard("run", "work", "--matrix", "--json", home=home, cwd=project).document["runs"]
    said = [each["failures"][0].partition("exit code 1. ")[2] for each in runs]
    assert len(set(said)) == 2
    assert all(Path(each).is_dir() for each in said)


def test_any_no_is_the_verdict(tmp_path: Path, home: Path, host: HostFacts) -> None:
    project, _ = project_of(tmp_path, host, 'matrix = { editions = ["1"] }')
    done = envguard("run", "work", "--matrix", "--json", home=home, cwd=project, CODE="3")
    assert done.code == 1
    runs = done.document["runs"]
    assert [(each["edition"], each["verdict"]) for each in runs] == [("1", "no")]
    assert "ended with exit code 3" in runs[0]["failures"][0]
