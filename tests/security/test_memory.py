"""A step that wants more memory than it may have ends in a sentence; what fits goes on as before."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envguard.backends import resources
from envguard.backends.venv import HostWorkspace
from envguard.catalog.model import CommandStep
from envguard.errors import BadInput, StepFailed
from envguard.layout import Layout
from envguard.payload.contract import TaskStep
from envguard.running.command_step import CommandRun, run_command_step
from envguard.running.step import StepOrder, run_step

FILL = "held = bytearray({size}); print(len(held))"
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits it")


def here(folder: Path) -> HostWorkspace:
    """This very Python, with a scratch folder."""
    python = Path(sys.executable)
    return HostWorkspace(Layout(python, python.parent), folder)


def fill(folder: Path, size: int, **environ: str) -> str:
    """Run a command that takes so many bytes; what it printed."""
    step = CommandStep(name="fill", environment="own", inputs={}, command=("python", "-c", FILL.format(size=size)))
    log = folder / "log"
    run_command_step(step, {}, CommandRun(here(folder), folder, {"PATH": os.defpath, **environ}, log))
    return log.read_text().strip()


def test_a_command_that_takes_more_than_it_may_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StepFailed) as caught:
        fill(tmp_path, 900 << 20, ENVGUARD_MEMORY="512MiB")
    assert caught.value.what == "The step 'fill' needed more memory than the 512 MiB that it may have."
    assert "ENVGUARD_MEMORY=1GiB" in caught.value.next_step
    assert caught.value.why.startswith("ENVGUARD_MEMORY allows no more; the whole log: ")
    assert caught.value.exit_code == 1


def test_with_the_limit_that_the_sentence_names_it_goes_on(tmp_path: Path) -> None:
    assert fill(tmp_path, 900 << 20, ENVGUARD_MEMORY="1GiB") == str(900 << 20)


def test_a_command_of_a_project_has_no_limit_but_the_users(tmp_path: Path) -> None:
    assert fill(tmp_path, 600 << 20) == str(600 << 20)


def test_a_step_of_envguards_own_is_limited_by_its_inputs(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(bytes(1000))
    assert resources.limit_for([file], {}) == resources.LEAST + 1000 * resources.PER_BYTE
    assert resources.limit_for([file, file], {"ENVGUARD_MEMORY": "2GiB"}) == 2 << 30


def test_a_step_of_envguards_own_ends_in_the_same_sentence(tmp_path: Path) -> None:
    order = StepOrder(TaskStep("check", "checks.imports", {}, {"modules": ["x" * (64 << 20)]}), {})
    with pytest.raises(StepFailed) as caught:
        run_step(
            here(tmp_path), order, environ={"ENVGUARD_MEMORY": "48MiB"}, log=tmp_path / "log", tell=lambda event: None
        )
    assert "needed more memory than the 48 MiB" in caught.value.what


@pytest.mark.parametrize("wrong", ["0", "much", "-1GiB", "9" * 400, "1e9"])
def test_a_limit_that_is_no_size_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadInput, match="not a valid size"):
        fill(tmp_path, 1, ENVGUARD_MEMORY=wrong)
