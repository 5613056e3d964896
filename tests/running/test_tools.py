"""The host's programs that a step may call are named, found on the user's PATH, and recorded as they were."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.projects import shop_of, write_project
from tests.support.tasks import run_on

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tool is a shell script")

TASK = """
    [tasks.work]
    summary = "work"
    output = "called:out"
    [[tasks.work.steps]]
    name = "called"
    environment = "one"
    command = ["python", "call.py", "{output.out}"]
    outputs = { out = "out.txt" }
    tools = ["a-tool"]
    [[tasks.work.steps]]
    name = "itself"
    environment = "one"
    command = ["a-tool", "--quiet"]
    tools = ["a-tool"]
"""
CALL = """
    import subprocess, sys
    from pathlib import Path
    Path(sys.argv[1]).write_bytes(subprocess.run(["a-tool", "x"], check=True, stdout=subprocess.PIPE).stdout)
"""
TOOL = '#!/bin/sh\ncase "$1" in --version) echo "a-tool 1.2"; echo "more";; *) echo "did $1";; esac\n'
HELPED = '#!/bin/sh\nexec helper "$@"\n'
UNNAMED = """
    [tasks.work]
    summary = "work"
    [[tasks.work.steps]]
    name = "called"
    environment = "one"
    command = ["python", "-c", "import subprocess; %s"]
"""


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the tool on it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "a-tool").write_text(TOOL)
    (folder / "helper").write_text(TOOL)
    for each in folder.iterdir():
        each.chmod(0o755)
    return os.pathsep.join((str(folder), os.environ["PATH"]))


def test_a_tool_is_called_and_recorded_by_version_and_hash(tmp_path: Path, home: Path, python: str, path: str) -> None:
    project = write_project(tmp_path / "project", python, TASK, {"call.py": CALL})
    done = envguard("run", "work", "-o", "out.txt", home=home, cwd=project, PATH=path)
    assert done.code == 0, done.err
    assert (project / "out.txt").read_text() == "did x\n"
    receipt = json.loads((project / "out.txt.receipt.json").read_text())
    digest = hashlib.sha256(TOOL.encode()).hexdigest()
    assert [step["tools"] for step in receipt["steps"]] == [{"a-tool": {"version": "a-tool 1.2", "sha256": digest}}] * 2
    again = ("verify-receipt", "out.txt.receipt.json", "--rebuild")
    assert envguard(*again, home=home, cwd=project, PATH=path).out.splitlines()[-1] == "MATCH"
    (tmp_path / "programs" / "a-tool").write_text(TOOL.replace("1.2", "1.3"))
    differs = envguard(*again, home=home, cwd=project, PATH=path)
    assert differs.code == 1
    assert "a-tool 1.2" in differs.out
    assert "a-tool 1.3" in differs.out


def test_one_that_is_missing_is_named_before_anything_runs(tmp_path: Path, home: Path, python: str) -> None:
    shop = shop_of(write_project(tmp_path / "project", python, TASK, {"call.py": CALL}), home)
    with pytest.raises(BadInput, match="The step 'called' calls a-tool, which is not on your PATH") as caught:
        run_on(shop.catalog.tasks["work"], {}, tmp_path / "out.txt", shop)
    assert "Install" in caught.value.next_step


def test_a_program_that_no_step_names_is_not_the_hosts(tmp_path: Path, home: Path, python: str, path: str) -> None:
    text = TASK.replace('    tools = ["a-tool"]\n', "")
    scripts = {"call.py": CALL.replace('"a-tool", "x"', 'sys.executable, "-V"')}
    shop = shop_of(write_project(tmp_path / "project", python, text, scripts), home, {"PATH": path})
    with pytest.raises(BadInput, match="runs 'a-tool', which its environment 'one' does not have") as caught:
        run_on(shop.catalog.tasks["work"], {}, tmp_path / "out.txt", shop)
    assert 'tools = ["a-tool"]' in caught.value.next_step


@pytest.mark.parametrize(
    "call", ["subprocess.run(['a-tool'])", "raise SystemExit(subprocess.call('a-tool', shell=True))"]
)
def test_a_step_does_not_find_a_program_that_it_does_not_name_and_is_told_how_to(
    tmp_path: Path, home: Path, python: str, path: str, call: str
) -> None:
    shop = shop_of(write_project(tmp_path / "project", python, UNNAMED % call, {}), home, {"PATH": path})
    (failure,) = run_on(shop.catalog.tasks["work"], {}, None, shop).failures
    assert failure.next.startswith(
        'It calls a-tool, a program of your system that it does not name: add tools = ["a-tool"]'
    )


def test_a_tool_finds_its_own_helpers(tmp_path: Path, home: Path, python: str, path: str) -> None:
    (tmp_path / "programs" / "a-tool").write_text(HELPED)
    shop = shop_of(write_project(tmp_path / "project", python, TASK, {"call.py": CALL}), home, {"PATH": path})
    run_on(shop.catalog.tasks["work"], {}, tmp_path / "out.txt", shop)
    assert (tmp_path / "out.txt").read_text() == "did x\n"
