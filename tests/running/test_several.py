"""Several runs at a time: each is told apart, none takes another with it, and they end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.events import Event, Receiver, RunFailed, StepNote
from envguard.running.several import RunError, run_each
from tests.support.projects import shop_of, write_project
from tests.support.runs import Doubled, double
from tests.support.waiting import wait_until, wait_until_gone

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from tests.support.runs import main; main()"
SLEEPER = """
    [tasks.work]
    summary = "work"
    output = "do:out"
    [[tasks.work.steps]]
    name = "do"
    environment = "one"
    command = ["python", "do.py", "{output.out}"]
    outputs = { out = "out.txt" }
"""


def run(tmp_path: Path, *numbers: int, at_once: int) -> tuple[dict[str, Doubled | RunError], list[tuple[str, Event]]]:
    told: list[tuple[str, Event]] = []

    def receiver(name: str) -> Receiver:
        return lambda event: told.append((name, event))

    jobs = {str(number): number for number in numbers}
    return run_each(double, jobs, at_once=at_once, lock=tmp_path / "measuring.lock", receiver=receiver), told


def test_results_keep_the_order_and_events_the_name(tmp_path: Path) -> None:
    outcomes, told = run(tmp_path, 3, 1, 2, at_once=2)
    assert list(outcomes) == ["3", "1", "2"]
    found = [outcome for outcome in outcomes.values() if isinstance(outcome, Doubled)]
    assert [each.doubled for each in found] == [6, 2, 4]
    assert sorted(told, key=lambda each: each[0]) == [
        (name, StepNote("double", f"{name} twice")) for name in ("1", "2", "3")
    ]
    assert len({each.process for each in found}) <= 2


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_run_that_fails_or_dies_takes_no_other_with_it(tmp_path: Path, at_once: int) -> None:
    outcomes, told = run(tmp_path, -1, 13, 0, 5, at_once=at_once)
    assert outcomes["-1"] == RunError("-1 is negative.", "nobody knows", "Name another.", 2)
    killed, faulty = outcomes["13"], outcomes["0"]
    assert isinstance(killed, RunError)
    assert killed.what == "The process of 13 was ended by SIGKILL."
    assert killed.exit_code == 1
    assert isinstance(faulty, RunError)
    assert faulty.what.startswith("envguard itself failed: ZeroDivisionError")
    assert isinstance(outcomes["5"], Doubled)
    assert {name for name, event in told if isinstance(event, RunFailed)} == {"-1", "13", "0"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "to_all", "code"),
    [
        pytest.param(signal.SIGINT, True, 130, id="Ctrl-C in a terminal"),
        pytest.param(signal.SIGINT, False, 130, id="SIGINT"),
        pytest.param(signal.SIGTERM, False, 143, id="SIGTERM"),
        pytest.param(signal.SIGKILL, False, -signal.SIGKILL, id="SIGKILL"),
    ],
)
def test_all_runs_end_with_their_parent_and_clear_up(
    tmp_path: Path, host: HostFacts, number: signal.Signals, to_all: bool, code: int
) -> None:
    sleep = f"""
        import os, sys, time
        open(sys.argv[1], "w").write("half")
        path = os.path.join({str(tmp_path)!r}, f"{{os.getpid()}}.pid")
        open(path, "w").close()
        time.sleep(600)
    """
    home, out = tmp_path / "home", tmp_path / "out"
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), SLEEPER, {"do.py": sleep})
    shop_of(project, home).prepare("one")
    out.mkdir()
    command: list[str | Path] = [sys.executable, "-I", "-c", PROGRAM, project, home, out]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        wait_until(lambda: len(list(tmp_path.glob("*.pid"))) == 2, parent)
        steps = [int(path.stem) for path in tmp_path.glob("*.pid")]
        if to_all:
            os.killpg(parent.pid, number)
        else:
            parent.send_signal(number)
        assert parent.wait() == code
        assert parent.stderr is not None
        said = parent.stderr.read()
    assert "Traceback" not in said
    wait_until_gone(steps)
    assert list(out.iterdir()) == []
    assert list((home / "runs").iterdir()) == []
