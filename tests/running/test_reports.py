"""A report is an ordinary last step: made after the verdict, whatever it is, of the run's own record, if asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.payload.contract import Run, from_json
from envguard.planning import minor_of
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import TaskResult, run_task
from envguard.running.task_order import TaskOrder
from tests.support.projects import shop_of, write_project

TASK = """
    [tasks.work]
    summary = "work"
    output = "do:out"
    reports = { told = "tell:page" }
    [[tasks.work.steps]]
    name = "do"
    environment = "one"
    command = ["python", "copy.py", "{input.file}", "{output.out}"]
    inputs = { file = "task:file" }
    outputs = { out = "out.txt" }
    [[tasks.work.steps]]
    name = "tell"
    environment = "two"
    command = ["python", "copy.py", "{input.run}", "{output.page}"]
    inputs = { run = "run:document" }
    outputs = { page = "page.txt" }
"""
COPY = """
    import sys
    from pathlib import Path
    Path(sys.argv[2]).write_bytes(Path(sys.argv[1]).read_bytes())
"""


@pytest.fixture
def shop(tmp_path: Path, host: HostFacts) -> Workshop:
    """A workshop for a project whose task makes an output and, if asked, a report."""
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK, {"copy.py": COPY})
    (tmp_path / "in.txt").write_text("content")
    return shop_of(project, tmp_path / "home")


def run(shop: Workshop, tmp_path: Path, reports: dict[str, Path]) -> TaskResult:
    task = shop.catalog.tasks["work"]
    return run_task(TaskOrder(task, {"file": (tmp_path / "in.txt",)}, tmp_path / "out.txt", reports=reports), shop)


def test_a_report_that_nobody_asks_for_needs_no_environment(shop: Workshop, tmp_path: Path) -> None:
    task = shop.catalog.tasks["work"]
    assert shop.catalog.environments_of(task) == ["one"]
    assert shop.catalog.environments_of(task, ["told"]) == ["one", "two"]
    assert list(run(shop, tmp_path, {}).handed_over) == ["do"]


def test_a_report_is_made_of_the_record_that_documents_and_receipts_are_made_of(shop: Workshop, tmp_path: Path) -> None:
    result = run(shop, tmp_path, {"told": tmp_path / "reports" / "page.json"})
    assert result.report_error is None
    record = from_json(Run, json.loads((tmp_path / "reports" / "page.json").read_text()))
    assert record == result.record
    assert (record.verdict, [step.name for step in record.steps]) == ("yes", ["do"])
    assert record.outputs["output"].path == str(tmp_path / "out.txt")


def test_a_report_that_fails_takes_nothing_back(shop: Workshop, tmp_path: Path) -> None:
    (shop.catalog.tasks["work"].folder / "copy.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "assert 'json' not in sys.argv[1], 'no report'\nPath(sys.argv[2]).write_bytes(Path(sys.argv[1]).read_bytes())\n"
    )
    result = run(shop, tmp_path, {"told": tmp_path / "page.txt"})
    assert result.passed
    assert (tmp_path / "out.txt").read_text() == "content"
    assert not (tmp_path / "page.txt").exists()
    assert result.report_error is not None
    assert "its verdict is yes" in result.report_error.next_step
    assert str(tmp_path / "out.txt") in result.report_error.next_step
