"""The receipt of a task that makes nothing says its verdict, and those of the tasks that ran before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from envguard.errors import BrokenData
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from envguard.running.receipts.reading import read_receipt, receipt_from
from tests.support.command import Ended, envguard
from tests.support.pages import CHECKOUT
from tests.support.projects import trusted, write_project

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "docs" / "receipt.schema.json").read_text(encoding="utf-8"))
TASKS = """
    [tasks.lint]
    summary = "lint"
    [[tasks.lint.steps]]
    name = "lint"
    environment = "one"
    command = ["python", "lint.py", "{output.log}"]
    outputs = { log = "log.txt" }
    [[tasks.lint.steps]]
    name = "tell"
    environment = "one"
    command = ["python", "tell.py", "{input.log}"]
    inputs = { log = "lint:log" }
    [tasks.check]
    summary = "test what is linted"
    depends-on = ["lint"]
    [[tasks.check.steps]]
    name = "test"
    environment = "one"
    command = ["python", "check.py"]
    [tasks.made]
    summary = "make a file"
    depends-on = ["lint"]
    output = "lint:log"
    [[tasks.made.steps]]
    name = "lint"
    environment = "one"
    command = ["python", "lint.py", "{output.log}"]
    outputs = { log = "log.txt" }
"""
SCRIPTS = {"lint.py": "import sys\nopen(sys.argv[1], 'w').close()\n", "tell.py": "", "check.py": ""}
BAD = "raise SystemExit(3)\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environment."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    return write_project(tmp_path / "project", minor_of(host.usable[0]), TASKS, SCRIPTS)


def run(project: Path, home: Path, *arguments: str) -> Ended:
    return envguard(*arguments, home=home, cwd=trusted(project))


def receipt_of(project: Path, home: Path, task: str) -> dict[str, Any]:
    """The receipt that a run of the task leaves, which follows the schema and is read as it was written."""
    done = run(project, home, "run", task, "--receipt-file", "r.json")
    assert done.code in (0, 1), done.err
    assert f"receipt: {project / 'r.json'}" in done.out
    text = (project / "r.json").read_text()
    assert read_receipt(project / "r.json").text() == text
    document: dict[str, Any] = json.loads(text)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []
    return document


def test_it_has_the_verdicts_and_the_run_can_be_done_again(project: Path, home: Path) -> None:
    document = receipt_of(project, home, "check")
    assert (document["verdict"], document["outputs"]) == ("yes", {})
    (before,) = document["depends_on"]
    assert (before["task"]["name"], before["verdict"]) == ("lint", "yes")
    compared = run(project, home, "verify-receipt", "r.json")
    assert compared.out.splitlines()[1:] == ["  depends on lint: yes", "  verdict: yes", "MATCH"]
    again = run(project, home, "verify-receipt", "r.json", "--rebuild")
    assert again.out.splitlines()[-1] == "MATCH", again.out + again.err
    (project / "lint.py").write_text(SCRIPTS["lint.py"] + "# changed\n")
    changed = run(project, home, "verify-receipt", "r.json", "--rebuild")
    assert (changed.code, changed.out.splitlines()[-1]) == (1, "TOOLCHAIN DIFFERS")
    assert "code of step lint" in changed.out


def test_a_no_is_recorded_too_without_the_steps_that_had_nothing_to_work_on(project: Path, home: Path) -> None:
    (project / "lint.py").write_text(BAD)
    document = receipt_of(project, home, "lint")
    assert (document["verdict"], [each["name"] for each in document["steps"]]) == ("no", ["lint"])
    assert run(project, home, "verify-receipt", "r.json", "--rebuild").out.splitlines()[-1] == "MATCH"


def test_where_a_task_before_it_says_no_the_receipt_is_of_that_one(project: Path, home: Path) -> None:
    (project / "lint.py").write_text(BAD)
    document = receipt_of(project, home, "check")
    assert (document["task"]["name"], document["verdict"]) == ("lint", "no")


def test_a_changed_verdict_is_noticed_in_a_task_before_it_too(project: Path, home: Path) -> None:
    document = receipt_of(project, home, "check")
    document["depends_on"][0]["verdict"] = "no"
    (project / "r.json").write_text(json.dumps(document))
    assert run(project, home, "verify-receipt", "r.json").out.splitlines()[-1] == "DIFF"
    deeper = {**document, "depends_on": [document]}
    with pytest.raises(BrokenData, match="depends_on must name every task once"):
        receipt_from(deeper, "r.json")
    assert list(Draft202012Validator(SCHEMA).iter_errors(deeper))


def test_a_task_with_an_output_has_its_receipt_beside_it(project: Path, home: Path) -> None:
    refused = run(project, home, "run", "made", "-o", "out.txt", "--receipt-file", "r.json")
    assert refused.code == 2
    assert "beside the output, as out.txt.receipt.json" in refused.err
    assert run(project, home, "run", "made", "-o", "out.txt").code == 0
    receipt = json.loads((project / "out.txt.receipt.json").read_text())
    assert [each["task"]["name"] for each in receipt["depends_on"]] == ["lint"]
    assert run(project, home, "verify-receipt", "out.txt.receipt.json", "--rebuild").code == 0
