"""Onboarding in one command: what is needed is made once, and the command to type next can be typed."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog, load_catalog
from envguard.cli.projects.init import template
from envguard.host.interpreters import HostFacts
from envguard.report.setup import SetupReport, setup_text
from envguard.running.environments.setting_up import SetUp, needed_here, next_command
from tests.support.command import Ended, envguard

BUILTIN = {"quantize", "verify", "samples"}
CHECK = 'pythons = ["3.11"]\ncheck = "checks.imports"\ncheck-options = { modules = ["pip"] }\n'
TOOLS_ONLY = (
    f"schema = 1\n[environments.tools]\nsummary = 'x'\n{CHECK}[environments.tools.editions.1]\nrequirements = ['pip']\n"
)


def project(folder: Path, content: str = "") -> Path:
    """A folder with that envguard.toml, or with the one that `init` writes."""
    folder.mkdir(exist_ok=True)
    (folder / "envguard.toml").write_text(content or template(), encoding="utf-8")
    return folder


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below the folder, with its size and when it was changed."""
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_without_a_project_the_first_task_is_what_is_needed() -> None:
    catalog = builtin_catalog()
    assert set(needed_here(catalog)) == BUILTIN
    assert next_command(catalog, needed_here(catalog), []) == ["run", "quantize", "sample:face_landmarker"]
    assert next_command(catalog, needed_here(catalog), ["mine.task"]) == ["run", "quantize", "mine.task"]


def test_in_a_project_its_own_environments_and_those_of_its_tasks_are_needed(tmp_path: Path) -> None:
    borrows = template().replace('environment = "pages"', 'environment = "pip"')
    catalog = load_catalog(project(tmp_path, borrows), {"HOME": str(tmp_path)})
    assert needed_here(catalog) == ["pages", "pip"]
    assert next_command(catalog, ["pages", "pip"], ["mine.task"]) == ["run", "page", "INPUT", "-o", "OUT"]


def test_a_project_without_tasks_is_entered_by_its_shell(tmp_path: Path) -> None:
    catalog = load_catalog(project(tmp_path, TOOLS_ONLY), {"HOME": str(tmp_path)})
    assert next_command(catalog, needed_here(catalog), []) == ["shell", "tools"]


def test_a_task_with_several_inputs_names_each(tmp_path: Path) -> None:
    two = template().replace('{ source = "task:source" }', '{ source = "task:source", style = "task:style" }')
    two = two.replace('"{input.source}"]', '"{input.source}", "{input.style}"]')
    catalog = load_catalog(project(tmp_path, two), {"HOME": str(tmp_path)})
    said = shlex.join(next_command(catalog, ["pages"], []))
    assert said == "run page --input source=PATH --input style=PATH -o OUT"


def test_what_only_a_part_of_the_work_needs_is_named_with_its_package() -> None:
    made = SetUp("tools", lacking=("libgbm1", "libgles2"), purpose="to draw")
    text = setup_text(SetupReport((made,), 1.0, HostFacts((), ()), None, Path("/store"), ("next",)))
    assert "tools lacks nothing but what is only needed to draw. On Debian or Ubuntu:" in text
    assert "  apt-get install --no-install-recommends libgbm1 libgles2" in text.splitlines()


def test_an_environment_without_a_lock_is_told_what_to_do_and_is_no_success(tmp_path: Path) -> None:
    here = project(tmp_path / "new")
    ended = envguard("setup", "--json", home=tmp_path / "home", cwd=here)
    assert ended.code == 3
    assert ended.document["ready"] is False
    (row,) = ended.document["environments"]
    assert "envguard lock pages" in row["next"]
    assert "envguard: The environment 'pages' has no lock yet." in ended.err
    shown = envguard("setup", home=tmp_path / "home", cwd=here)
    assert "Not ready: pages." in shown.out
    assert "Next:" not in shown.out


@pytest.mark.network
def test_one_that_cannot_be_had_stops_none_of_the_rest(tmp_path: Path, store_home: Path) -> None:
    here = project(tmp_path / "two", template().replace('environment = "pages"', 'environment = "pip"'))
    ended = envguard("setup", "--json", home=store_home, cwd=here)
    assert ended.code == 3
    assert {row["name"]: row["ready"] for row in ended.document["environments"]} == {"pages": False, "pip": True}


@pytest.mark.network
@pytest.mark.slow
def test_the_second_time_it_takes_under_a_second_and_changes_nothing(tmp_path: Path, store_home: Path) -> None:
    first = envguard("setup", "--json", home=store_home, cwd=tmp_path)
    assert first.code == 0, first.err
    assert {row["name"] for row in first.document["environments"]} == BUILTIN
    folders = [Path(row["folder"]) for row in first.document["environments"]]
    before, runs = list(map(state_of, folders)), [timed_setup(store_home, tmp_path) for _ in range(3)]
    assert list(map(state_of, folders)) == before
    for _, again in runs:
        assert again.code == 0
        assert again.document["changed"] is False
        assert again.err == ""
    assert min(seconds for seconds, _ in runs) < 1
    assert not list(tmp_path.iterdir())


def timed_setup(home: Path, folder: Path) -> tuple[float, Ended]:
    """One more `envguard setup --json`, and how many seconds of a processor it took.

    Nothing is waited for, so this is the time that it takes on a machine that does nothing else meanwhile.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = envguard("setup", "--json", home=home, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended


@pytest.mark.network
@pytest.mark.slow
def test_its_next_command_can_be_typed_and_every_line_fits_80_columns(tmp_path: Path, store_home: Path) -> None:
    shown = envguard("setup", home=store_home, cwd=tmp_path)
    assert shown.code == 0, shown.err
    *above, last = shown.out.splitlines()
    assert above[-1].startswith("Everything is ready after ")
    assert not [line for line in above if len(line) > 80 and not line.startswith(("Store:", "Project:"))]
    _, *arguments = shlex.split(last)
    assert envguard(*arguments, "--explain", home=store_home, cwd=tmp_path).code == 0


@pytest.mark.network
def test_ctrl_c_while_it_builds_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "envguard", "create", "pip"],
        env={**os.environ, "ENVGUARD_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("building pip")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.startswith("envguard: Interrupted.\n  next: ")
    assert [path.suffix for path in (tmp_path / "home" / "environments").iterdir()] == [".lock"]
