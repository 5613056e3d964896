"""Runs in processes of their own go on side by side, and none beside one that measures."""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.measuring_alone import taking_part
from envguard.running.pipeline import run_task
from envguard.running.task_order import TaskOrder
from tests.support.projects import shop_of, write_project
from tests.support.waiting import wait_until

TASK = """
    [tasks.work]
    summary = "work"
    output = "measure:out"
    [[tasks.work.steps]]
    name = "think"
    environment = "one"
    command = ["python", "span.py", "{input.file}", "{output.out}"]
    inputs = { file = "task:file" }
    outputs = { out = "out.txt" }
    [[tasks.work.steps]]
    name = "measure"
    environment = "one"
    command = ["python", "span.py", "{input.file}", "{output.out}"]
    inputs = { file = "think:out" }
    outputs = { out = "out.txt" }
    measures = true
"""
# Adds when it ran to what the step before wrote.
SPAN = """
    import sys, time
    started = time.monotonic()
    time.sleep(0.4)
    before = open(sys.argv[1]).read()
    open(sys.argv[2], "w").write(f"{before}{started} {time.monotonic()}\\n")
"""


def work(project: Path, home: Path, source: Path, target: Path, turns: Path) -> None:
    shop = shop_of(project, home)
    with taking_part(turns) as alone:
        run_task(TaskOrder(shop.catalog.tasks["work"], {"file": (source,)}, target, fresh=True), shop, alone)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@pytest.mark.skipif(sys.platform == "win32", reason="there, runs take turns as a whole")
def test_no_step_runs_beside_one_that_measures(tmp_path: Path, host: HostFacts) -> None:
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK, {"span.py": SPAN})
    (tmp_path / "in.txt").touch()
    shop_of(project, tmp_path / "home").prepare("one")
    targets = [tmp_path / f"{number}.txt" for number in range(3)]
    context = multiprocessing.get_context("spawn")
    runs = [
        context.Process(target=work, args=(project, tmp_path / "home", tmp_path / "in.txt", target, tmp_path / "turns"))
        for target in targets
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
        assert run.exitcode == 0
    spans = []
    for target in targets:
        lines = target.read_text().splitlines()
        spans.append([(float(start), float(end)) for start, end in map(str.split, lines)])
    for one, (_, measured) in enumerate(spans):
        for other, both in enumerate(spans):
            assert one == other or not any(overlap(measured, span) for span in both), json.dumps(spans)


@pytest.mark.skipif(sys.platform == "win32", reason="there, runs take turns as a whole")
def test_a_run_that_is_killed_while_it_measures_keeps_nobody_waiting(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from envguard.running.measuring_alone import taking_part
with taking_part(Path({str(tmp_path / "turns")!r})) as alone, alone():
    Path({str(tmp_path / "measuring")!r}).touch()
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-I", "-c", code]) as process:
        wait_until((tmp_path / "measuring").exists, process)
        process.kill()
    with taking_part(tmp_path / "turns") as alone, alone():
        assert process.returncode == -signal.SIGKILL
