"""Steps that need nothing of each other run at the same time; what is known of them afterwards does not tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.errors import StepFailed
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.pipeline import run_task
from envguard.running.task_order import TaskOrder
from tests.support.command import envguard
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on
from tests.support.waiting import wait_until, wait_until_gone

STEP = """
    [[tasks.{task}.steps]]
    name = "{name}"
    environment = "{environment}"
    command = ["python", "{script}.py", "${{PLACE}}", "{{output.out}}"{more}]
    outputs = {{ out = "{name}.txt" }}
    pass-env = ["PLACE"]
    timeout = 120
"""
# Each waits until the other has come.
MEET = """
    import os, sys, time
    from pathlib import Path
    place, out = Path(sys.argv[1]), Path(sys.argv[2])
    (place / out.stem).touch()
    while len(list(place.iterdir())) < 2:
        time.sleep(0.02)
    time.sleep(0.3 if out.stem == "first" else 0)
    out.write_text(out.stem)
"""
JOIN = """
    import sys
    from pathlib import Path
    Path(sys.argv[2]).write_text("".join(Path(each).read_text() for each in sys.argv[3:]))
"""
FAIL = """
    import sys, time
    from pathlib import Path
    while not list(Path(sys.argv[1]).iterdir()):
        time.sleep(0.02)
    sys.exit(3)
"""
HANG = """
    import os, sys, time
    from pathlib import Path
    (Path(sys.argv[1]) / str(os.getpid())).touch()
    time.sleep(600)
"""
# Writes down who else is there.
ALONE = """
    import os, sys, time
    from pathlib import Path
    place, out = Path(sys.argv[1]), Path(sys.argv[2])
    mine = place / out.stem
    mine.touch()
    time.sleep(0.2)
    out.write_text(" ".join(sorted(each.name for each in place.iterdir())))
    mine.unlink()
"""
SCRIPTS = {"meet.py": MEET, "join.py": JOIN, "fail.py": FAIL, "hang.py": HANG, "alone.py": ALONE}


def step(task: str, name: str, script: str, environment: str = "one", more: str = "", extra: str = "") -> str:
    return STEP.format(task=task, name=name, script=script, environment=environment, more=more) + f"    {extra}\n"


TASKS = (
    '    [tasks.meet]\n    summary = "meet"\n    output = "join:out"\n'
    + step("meet", "first", "meet")
    + step("meet", "second", "meet", "two")
    + step("meet", "join", "join", more=', "{input.a}", "{input.b}"',
           extra='inputs = { a = "first:out", b = "second:out" }')
    + '    [tasks.fail]\n    summary = "fail"\n    output = "hang:out"\n'
    + step("fail", "hang", "hang")
    + step("fail", "fail", "fail")
    + '    [tasks.hang]\n    summary = "hang"\n'
    + step("hang", "one", "hang")
    + step("hang", "two", "hang", "two")
    + '    [tasks.alone]\n    summary = "alone"\n    outputs = { a = "a:out", b = "b:out", c = "c:out" }\n'
    + step("alone", "a", "alone")
    + step("alone", "b", "alone", extra="measures = true")
    + step("alone", "c", "alone")
)  # fmt: skip


@pytest.fixture(scope="module")
def project(host: HostFacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"), minor_of(host.usable[0]), TASKS, SCRIPTS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where steps of a run can see each other."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def test_they_run_at_the_same_time_and_are_listed_in_the_tasks_order(
    project: Path, home: Path, place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.txt"
    done = envguard("run", "meet", "-o", str(out), "--jobs", "2", "--json", home=home, cwd=project, PLACE=str(place))
    assert done.code == 0, done.err
    assert out.read_text() == "firstsecond"
    # The second ended before the first.
    assert [line.partition(":")[0] for line in done.err.splitlines() if ": ok, " in line] == ["second", "first", "join"]
    names = ["first", "second", "join"]
    assert [each["name"] for each in json.loads(done.out)["steps"]] == names
    receipt = json.loads(out.with_name("out.txt.receipt.json").read_text())
    assert [each["name"] for each in receipt["steps"]] == names


def test_one_that_fails_ends_those_under_way(project: Path, home: Path, place: Path, tmp_path: Path) -> None:
    shop = shop_of(project, home, {"PLACE": str(place)})
    order = TaskOrder(shop.catalog.tasks["fail"], {}, tmp_path / "out.txt", jobs=2)
    with pytest.raises(StepFailed, match="'fail' ended with exit code 3"):
        run_task(order, shop)
    wait_until_gone([int(each.name) for each in place.iterdir()])


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_user_ends_all_of_them(project: Path, home: Path, place: Path, number: int, code: int) -> None:
    variables = {**os.environ, "ENVGUARD_HOME": str(home), "PLACE": str(place)}
    command = [sys.executable, "-I", "-m", "envguard", "run", "hang", "--jobs", "2"]
    process = subprocess.Popen(command, env=variables, cwd=project, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(place.iterdir())) == 2, process)
    process.send_signal(number)
    assert process.wait() == code
    wait_until_gone([int(each.name) for each in place.iterdir()])
    assert list((home / "runs").iterdir()) == []


def test_one_that_measures_has_the_machine_to_itself(project: Path, home: Path, place: Path, tmp_path: Path) -> None:
    shop = shop_of(project, home, {"PLACE": str(place)})
    run_on(shop.catalog.tasks["alone"], {}, tmp_path / "out", shop)
    assert (tmp_path / "out" / "b.txt").read_text() == "b"
