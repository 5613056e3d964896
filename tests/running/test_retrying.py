"""Where a gate refuses what a step made, the step is run again for its next best, as often as the catalog says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from envguard.errors import StepFailed
from envguard.host.interpreters import HostFacts
from envguard.payload.contract import CheckFindings, Gate, StepFindings
from envguard.planning import minor_of
from envguard.running import task_run
from envguard.running.events import Event, StepStarted, TriedAgain
from envguard.running.pipeline import TaskResult
from envguard.running.step import StepOrder, StepResult
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on

TASK = """
    [tasks.work]
    summary = "work"
    output = "make:made"
    [[tasks.work.steps]]
    name = "make"
    environment = "one"
    run = "steps.quantize"
    inputs = {{ file = "task:file" }}
    retries = {retries}
    [[tasks.work.steps]]
    name = "judge"
    environment = "two"
    run = "steps.verify"
    inputs = {{ file = "make:made" }}
    [[tasks.work.steps]]
    name = "look"
    environment = "two"
    run = "steps.compare"
    inputs = {{ file = "make:made" }}
"""


@dataclass
class Steps:
    """In place of the payload: `make` writes the number of its attempt, `judge` passes from the number `good` on.

    `make` has so many `candidates`, and says so with the last if it `knows`.
    """

    good: int
    candidates: int = 100
    knows: bool = False
    fails_at: int = 0
    asked: list[StepOrder] = field(default_factory=list)

    def run(self, workspace: object, order: StepOrder, **_: object) -> StepResult:
        self.asked.append(order)
        name, folder = order.step.name, workspace.folder  # type: ignore[attr-defined]
        if name == "make":
            return StepResult(self.make(len(order.refused) + 1, folder), 0.1)
        number = int(order.files["file"][0].read_text())
        if name == "judge" and number == self.fails_at:
            raise StepFailed("The step 'judge' fell over.")
        passed = name != "judge" or number >= self.good
        gate = Gate("enough", "Enough", passed, measured=number, message="" if passed else f"{number} is not enough.")
        return StepResult(StepFindings(CheckFindings({}), (replace(gate, step=name),)), 0.1)

    def make(self, number: int, folder: Path) -> StepFindings:
        if number > self.candidates:
            return StepFindings()
        (folder / "made").write_text(str(number))
        return StepFindings(
            CheckFindings({"number": number}), (), {"made": "made"}, final=self.knows and number == self.candidates
        )

    def ran(self) -> list[str]:
        return [order.step.name for order in self.asked]


Run = Callable[..., TaskResult]


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def run(tmp_path: Path, host: HostFacts, monkeypatch: pytest.MonkeyPatch, heard: list[Event]) -> Run:
    """Runs the task with the given steps."""

    def run_it(steps: Steps, retries: int = 4) -> TaskResult:
        monkeypatch.setattr(task_run, "run_step", steps.run)
        project = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK.format(retries=retries), {})
        source = tmp_path / "source"
        source.write_text("content")
        shop = shop_of(project, tmp_path / "home")
        shop.receive = heard.append
        return run_on(shop.catalog.tasks["work"], {"file": source}, tmp_path / "out", shop)

    return run_it


def test_the_first_candidate_that_every_gate_passes_is_the_output(run: Run, tmp_path: Path) -> None:
    steps = Steps(good=3)
    result = run(steps)
    assert (result.passed, (tmp_path / "out").read_text()) == (True, "3")
    assert steps.ran() == ["make", "judge"] * 3 + ["look"]
    assert [(each.step, [gate.measured for gate in each.gates]) for each in result.record.refused] == [
        ("make", [1]),
        ("make", [2]),
    ]
    assert [each.findings for each in result.record.refused] == [
        CheckFindings({"number": 1}),
        CheckFindings({"number": 2}),
    ]
    assert [step.name for step in result.record.steps] == ["make", "judge", "look"]


def test_a_retry_is_told_what_was_refused_and_given_its_files(run: Run) -> None:
    steps = Steps(good=3)
    result = run(steps)
    first, second, third = (order for order in steps.asked if order.step.name == "make")
    assert (first.refused, first.attempts_left, list(first.files)) == ((), 4, ["file"])
    assert [[gate.message for gate in each.gates] for each in third.refused] == [
        ["1 is not enough."],
        ["2 is not enough."],
    ]
    assert (second.attempts_left, third.attempts_left, list(third.files)) == (3, 2, ["file", "refused:made"])
    assert third.findings == {}, "a retry is not given the findings of later steps"
    assert list(result.handed_over["make"].inputs) == ["file"]


def test_the_user_is_told_which_gate_refused_what(run: Run, heard: list[Event]) -> None:
    run(Steps(good=2))
    assert [event for event in heard if isinstance(event, TriedAgain)] == [TriedAgain("make", ("1 is not enough.",))]


@pytest.mark.parametrize(("steps", "attempts"), [(Steps(good=99), 3), (Steps(99, 2), 2), (Steps(99, 2, True), 2)])
def test_where_no_candidate_passes_the_verdict_is_no_with_all_that_was_tried(
    run: Run, tmp_path: Path, steps: Steps, attempts: int
) -> None:
    result = run(steps, retries=2)
    assert not result.passed
    assert [gate.measured for each in result.record.refused for gate in each.gates] == list(range(1, attempts))
    assert [failure.message for failure in result.failures] == [f"{attempts} is not enough."]
    assert [step.name for step in result.record.steps] == ["make", "judge", "look"], "the rest is there for the report"
    assert not (tmp_path / "out").exists()


def test_a_step_that_says_that_it_has_nothing_else_is_not_asked(run: Run, heard: list[Event]) -> None:
    run(Steps(99, 1, knows=True))
    assert [event.step for event in heard if isinstance(event, StepStarted)] == ["make", "judge", "look"]


def test_without_retries_a_no_is_the_last_word(run: Run) -> None:
    steps = Steps(good=2)
    assert not run(steps, retries=0).passed
    assert steps.ran() == ["make", "judge", "look"]


def test_a_crash_on_a_retry_does_not_hide_why_there_was_one(run: Run) -> None:
    result = run(Steps(good=2, fails_at=2))
    assert [failure.name for failure in result.failures] == ["step-failed"]
    assert [gate.name for each in result.record.refused for gate in each.gates] == ["enough"]
