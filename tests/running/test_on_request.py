"""A step on request is part of the runs that ask for it, and of no other; its receipt can be checked all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.payload.contract import Reference
from envguard.planning import minor_of
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import TaskResult, run_task
from envguard.running.rebuilding import find_inputs, rebuild
from envguard.running.receipt import make_receipt
from envguard.running.task_order import TaskOrder
from tests.support.projects import shop_of, write_project

TASK = """
    [tasks.work]
    summary = "work"
    output = "do:out"
    [[tasks.work.steps]]
    name = "do"
    environment = "one"
    command = ["python", "copy.py", "{input.file}", "{output.out}"]
    inputs = { file = "task:file" }
    outputs = { out = "out.txt" }
    [[tasks.work.steps]]
    name = "look"
    environment = "two"
    command = ["python", "copy.py", "{input.made}", "{output.seen}"]
    inputs = { made = "do:out" }
    outputs = { seen = "seen.txt" }
    on-request = true
"""
COPY = """
    import sys
    from pathlib import Path
    Path(sys.argv[2]).write_bytes(Path(sys.argv[1]).read_bytes())
"""


@pytest.fixture
def shop(tmp_path: Path, host: HostFacts) -> Workshop:
    """A workshop for a project whose task has one step on request."""
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK, {"copy.py": COPY})
    (tmp_path / "in.txt").write_text("content")
    return shop_of(project, tmp_path / "home")


def run(shop: Workshop, tmp_path: Path, *asked: str) -> tuple[TaskOrder, TaskResult]:
    task = shop.catalog.tasks["work"].including(asked)
    order = TaskOrder(task, {"file": (tmp_path / "in.txt",)}, tmp_path / "out.txt", receipt=tmp_path / "out.json")
    return order, run_task(order, shop)


def test_nobody_who_does_not_ask_for_it_needs_its_environment(shop: Workshop, tmp_path: Path) -> None:
    task = shop.catalog.tasks["work"]
    assert shop.catalog.environments_of(task) == ["one"]
    assert shop.catalog.environments_of(task.including(["look"])) == ["one", "two"]
    _, result = run(shop, tmp_path)
    assert list(result.handed_over) == ["do"]


def test_who_asks_for_it_gets_it_in_its_place_among_the_others(shop: Workshop, tmp_path: Path) -> None:
    _, result = run(shop, tmp_path, "look")
    assert list(result.handed_over) == ["do", "look"]
    assert result.handed_over["look"].outputs["seen"].sha256 == result.outputs["output"].sha256


@pytest.mark.parametrize("asked", [(), ("look",)])
def test_a_receipt_is_rebuilt_with_the_steps_that_ran(shop: Workshop, tmp_path: Path, asked: tuple[str, ...]) -> None:
    order, result = run(shop, tmp_path, *asked)
    receipt = make_receipt(order, result, {"none": Reference.parse("sample:none")})
    assert [step.name for step in receipt.steps] == ["do", *asked]
    rebuilt = rebuild(receipt, find_inputs(receipt, tmp_path, ()), shop)
    assert rebuilt.verdict == "MATCH", rebuilt
