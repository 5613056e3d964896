"""A step that nothing has changed for is not run again; its result is taken from the store, if it is still whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envguard.catalog.model import PayloadStep
from envguard.host.interpreters import HostFacts
from envguard.payload.contract import StepFindings
from envguard.planning import minor_of
from envguard.running.reuse.results import keep_result, kept_result
from envguard.running.step import StepResult
from envguard.store.results.kept import DOCUMENT, keep, steps_folder, take
from tests.support.command import Ended, envguard
from tests.support.projects import trusted, write_project

# What it makes tells when it ran.
TASK = """
    [tasks.work]
    summary = "work"
    outputs = { out = "work:out", site = "work:site" }
    [[tasks.work.steps]]
    name = "work"
    environment = "one"
    command = ["python", "work.py", "{input.text}", "{output.out}", "{output.site}"]
    inputs = { text = "task:text" }
    outputs = { out = "out.txt", site = "site/" }
    %s
    [tasks.check]
    summary = "check"
    [[tasks.check.steps]]
    name = "check"
    environment = "one"
    command = ["python", "check.py"]
"""
WORK = """
    import sys, time
    from pathlib import Path
    text, out, site = map(Path, sys.argv[1:])
    out.write_text(f"{text.read_text()} {time.time_ns()}")
    (site / "a").mkdir(parents=True)
    (site / "a" / "page").write_text(out.read_text())
"""
CHECK = """
    import sys
    from pathlib import Path
    sys.exit(int(Path(__file__).with_name("verdict").read_text()))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    return project_with(tmp_path, host, "")


def project_with(folder: Path, host: HostFacts, settings: str) -> Path:
    project = write_project(folder / "project", minor_of(host.usable[0]), TASK % settings,
                            {"work.py": WORK, "check.py": CHECK})  # fmt: skip
    (project / "text.txt").write_text("hello")
    return project


def run(project: Path, home: Path, *options: str, **variables: str) -> tuple[str, Ended]:
    """What the step made, and what envguard said."""
    arguments = ("run", "work", "text.txt", "-o", "out", "--json", *options)
    done = envguard(*arguments, home=home, cwd=trusted(project), **variables)
    assert done.code == 0, done.err
    made = (project / "out" / "out.txt").read_text()
    assert (project / "out" / "site" / "a" / "page").read_text() == made
    return made, done


def test_an_unchanged_step_is_taken_from_the_store_and_everything_says_so(project: Path, home: Path) -> None:
    first, _ = run(project, home)
    again, done = run(project, home)
    assert again == first
    (step,) = done.document["steps"]
    receipt = json.loads((project / "out" / "work.receipt.json").read_text())
    assert receipt["steps"][0]["reused"] == step["reused"] != ""
    assert f"work: ok, unchanged since {step['reused']}" in done.err
    compared = envguard("verify-receipt", "out/work.receipt.json", home=home, cwd=project)
    assert compared.code == 0
    # Which runs it for real, and so finds that it depends on the time.
    rebuilt = envguard(
        "verify-receipt", "out/work.receipt.json", "--rebuild", "--input", "text.txt", home=home, cwd=project
    )
    assert rebuilt.out.splitlines()[-1] == "DIFF"


def test_what_a_step_told_is_kept(tmp_path: Path) -> None:
    log, folder, step = tmp_path / "log", tmp_path / "folder", PayloadStep("look", "one", {}, "steps.look")
    log.touch()
    keep_result(tmp_path, "0" * 64, step, StepResult(StepFindings(), 1.0, notes=("careful",)), {}, log)
    kept = kept_result(tmp_path, "0" * 64, folder)
    assert kept is not None
    assert (kept.notes, kept.reused != "") == (("careful",), True)


def test_a_result_that_another_envguard_wrote_or_that_leads_elsewhere_is_not_taken(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.touch()
    whole: dict[str, object] = {
        "findings": {"files": {"out": "../../out"}},
        "seconds": 1.0,
        "network": "",
        "date": "",
        "notes": [],
    }
    other: dict[str, object] = {"findings": {}}
    for document in (whole, other):
        keep(tmp_path, "0" * 64, document, {"out": file}, file)
        assert kept_result(tmp_path, "0" * 64, folder) is None
    assert not (tmp_path.parent / "out").exists()


def test_what_ran_fresh_is_kept_in_place_of_the_old(project: Path, home: Path) -> None:
    first, _ = run(project, home)
    fresh, _ = run(project, home, "--fresh")
    assert run(project, home)[0] == fresh != first


def test_what_changes_the_result_makes_it_run_again(project: Path, home: Path) -> None:
    made = {run(project, home)[0], run(project, home, "--fresh")[0], run(project, home, TZ="Asia/Tokyo")[0]}
    (project / "text.txt").write_text("bye")
    made.add(run(project, home)[0])
    (project / "work.py").write_text((project / "work.py").read_text() + "\n")
    made.add(run(project, home)[0])
    assert len(made) == 5


@pytest.mark.parametrize("settings", ["network = true", 'pass-env = ["A"]', 'tools = ["sh"]'])
def test_a_step_with_something_from_outside_is_not_kept(
    tmp_path: Path, home: Path, host: HostFacts, settings: str
) -> None:
    project = project_with(tmp_path, host, settings)
    assert run(project, home)[0] != run(project, home)[0]
    assert not steps_folder(home).exists()


@pytest.mark.parametrize("damage", ["files/0/out.txt", DOCUMENT])
def test_a_damaged_result_is_not_taken(project: Path, home: Path, damage: str) -> None:
    first, _ = run(project, home)
    (kept,) = steps_folder(home).iterdir()
    (kept / damage).chmod(0o644)
    (kept / damage).write_text((kept / damage).read_text()[:-3])
    again, _ = run(project, home)
    assert again != first
    assert run(project, home)[0] == again


def test_changed_findings_are_not_taken(project: Path, home: Path) -> None:
    first, _ = run(project, home)
    (kept,) = steps_folder(home).iterdir()
    document = json.loads((kept / DOCUMENT).read_text())
    document["result"]["findings"]["final"] = True
    (kept / DOCUMENT).write_text(json.dumps(document))
    assert run(project, home)[0] != first


KILLED = """
import os, signal, sys
from pathlib import Path
from envguard.store.results import kept
kept.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
file = Path(sys.argv[2])
kept.keep(Path(sys.argv[1]), "0" * 64, {}, {"out": file}, file)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_one_that_is_killed_while_it_keeps_a_result_leaves_none(tmp_path: Path, home: Path) -> None:
    (tmp_path / "file").write_text("made")
    assert subprocess.run([sys.executable, "-I", "-c", KILLED, home, tmp_path / "file"]).returncode == -9
    (leftover,) = steps_folder(home).iterdir()
    assert take(home, "0" * 64) is None
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(leftover, (long_ago, long_ago))
    envguard("store", "prune", home=home, cwd=tmp_path)
    assert not leftover.exists()


def test_two_at_once_keep_one_result_and_both_end_well(project: Path, home: Path) -> None:
    envguard("setup", "one", home=home, cwd=project)
    arguments = ("run", "work", "text.txt", "-o")
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda out: envguard(*arguments, out, home=home, cwd=project), ("a", "b")))
    assert [each.code for each in done] == [0, 0], [each.err for each in done]
    assert len(list(steps_folder(home).iterdir())) == 1


def test_where_nothing_can_be_kept_steps_run(project: Path, home: Path) -> None:
    home.mkdir()
    steps_folder(home).write_text("no folder")
    assert run(project, home)[0] != run(project, home)[0]


def test_tests_never_say_yes_from_memory(project: Path, home: Path) -> None:
    """They may read files that they name nowhere."""
    for code in (0, 1):
        (project / "verdict").write_text(str(code))
        assert envguard("run", "check", home=home, cwd=trusted(project)).code == code
    assert not steps_folder(home).exists()


def test_a_command_that_names_no_input_is_run_again(tmp_path: Path, home: Path, host: HostFacts) -> None:
    project = project_with(tmp_path, host, "")
    catalog = (project / "envguard.toml").read_text()
    catalog = catalog.replace('inputs = { text = "task:text" }\n', "").replace("{input.text}", "text.txt")
    (project / "envguard.toml").write_text(catalog)
    (project / "work.py").write_text(textwrap.dedent(WORK).replace("text.read_text()", "''"))
    for _ in range(2):
        done = envguard("run", "work", "-o", "out", home=home, cwd=trusted(project))
        assert (done.code, "unchanged" in done.err) == (0, False), done.err


def test_the_store_lists_results_and_prunes_those_that_nobody_uses(project: Path, home: Path) -> None:
    run(project, home)
    assert "results of 1 steps: " in envguard("store", "list", home=home, cwd=project).out
    assert envguard("store", "prune", home=home, cwd=project).code == 0
    (kept,) = steps_folder(home).iterdir()
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(kept / DOCUMENT, (long_ago, long_ago))
    assert "no run has used it for 30 days" in envguard("store", "prune", home=home, cwd=project).out
    assert not kept.exists()
