"""Tasks that make nothing, such as tests: how their commands end is the verdict, and each of them has its turn."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from envguard.errors import StepFailed
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.ending import StepEndedBadly
from envguard.running.pipeline import TaskResult
from tests.support.command import envguard
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on
from tests.support.waiting import wait_until_gone

TASK = """
    [tasks.work]
    summary = "lint and test"
    [[tasks.work.steps]]
    name = "lint"
    environment = "one"
    command = ["python", "lint.py", "{output.log}"]
    outputs = { log = "log.txt" }
    [[tasks.work.steps]]
    name = "tell"
    environment = "one"
    command = ["python", "tell.py", "{input.log}"]
    inputs = { log = "lint:log" }
    [[tasks.work.steps]]
    name = "test"
    environment = "two"
    command = ["python", "check.py"]
"""
FINE = "import sys, pathlib\nif sys.argv[1:]: pathlib.Path(sys.argv[1]).write_text('')\n"
BAD = "print('two lines are too long'); raise SystemExit(3)\n"
SLOW = """
    import os, subprocess, sys, time
    from pathlib import Path
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", stubborn])
    print(os.getpid(), child.pid, flush=True)
    time.sleep(600)
"""
TIMED = """
    [tasks.work]
    summary = "work"
    {output}
    [[tasks.work.steps]]
    name = "slow"
    environment = "one"
    command = ["python", "slow.py"]
    outputs = {{ out = "out.txt" }}
    timeout = 1.5
"""


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


def result_of(project: Path, home: Path) -> TaskResult:
    shop = shop_of(project, home)
    return run_on(shop.catalog.tasks["work"], {}, None, shop)


def test_the_verdict_is_yes_where_every_command_ends_well(tmp_path: Path, home: Path, python: str) -> None:
    scripts = {"lint.py": FINE, "tell.py": "", "check.py": FINE}
    result = result_of(write_project(tmp_path, python, TASK, scripts), home)
    assert (result.passed, result.record.verdict, dict(result.outputs)) == (True, "yes", {})
    assert [(gate.name, gate.step, gate.passed) for gate in result.record.gates] == [
        ("exit-code", "lint", True), ("exit-code", "tell", True), ("exit-code", "test", True)
    ]  # fmt: skip


def test_one_that_ends_badly_is_the_verdict_and_only_what_needs_its_files_is_left_out(
    tmp_path: Path, home: Path, python: str
) -> None:
    scripts = {"lint.py": BAD, "tell.py": "", "check.py": BAD}
    result = result_of(write_project(tmp_path, python, TASK, scripts), home)
    assert (result.passed, result.record.verdict) == (False, "no")
    assert [(each.step, each.name) for each in result.failures] == [("lint", "exit-code"), ("test", "exit-code")]
    assert "ended with exit code 3. two lines are too long" in result.failures[0].message
    assert "The whole log: " in result.failures[0].next


def test_a_user_names_no_output(tmp_path: Path, home: Path, python: str) -> None:
    project = write_project(tmp_path, python, TASK, {"lint.py": FINE, "tell.py": "", "check.py": BAD})
    done = envguard("run", "work", home=home, cwd=project)
    assert done.code == 1
    assert "verdict: no.\n  exit-code (test): The step 'test' ended with exit code 3." in done.out
    assert "two lines are too long" in done.out
    (project / "check.py").write_text(FINE)
    assert envguard("trust", home=home, cwd=project).code == 0
    done = envguard("run", "work", home=home, cwd=project)
    assert (done.code, done.out.splitlines()[0]) == (0, "verdict: yes.")
    named = envguard("run", "work", "-o", "out.txt", home=home, cwd=project)
    assert named.code == 2
    assert "makes no file" in named.err


def pids_in(said: str) -> list[int]:
    return [int(each) for each in said.split() if each.isdigit()]


@pytest.mark.parametrize("output", ['output = "slow:out"', ""])
def test_a_step_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, home: Path, python: str, output: str
) -> None:
    project = write_project(tmp_path / "project", python, TIMED.format(output=output), {"slow.py": SLOW})
    shop = shop_of(project, home)
    started = time.monotonic()
    if output:
        with pytest.raises(StepFailed, match=r"took longer than the 1\.5 seconds that it may") as caught:
            run_on(shop.catalog.tasks["work"], {}, tmp_path / "out.txt", shop)
        assert isinstance(caught.value, StepEndedBadly)
        said = caught.value.why
    else:
        result = run_on(shop.catalog.tasks["work"], {}, None, shop)
        (failure,) = result.failures
        assert (failure.step, failure.name) == ("slow", "timeout")
        said = failure.message.rpartition("ended.")[2]
    assert time.monotonic() - started < 300
    processes = pids_in(said)
    assert len(processes) == 2
    wait_until_gone(processes)
