"""A lock that was made for another request than the catalog's is refused by everything that would use it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel, LockRequest
from envguard.locks.staleness import difference
from envguard.npm_package import NpmPackage
from envguard.planning import minor_of
from tests.support.command import Ended, envguard
from tests.support.projects import trusted, write_project

TASK = """
[tasks.copy]
summary = "copy a text"
output = "copy:out"

[[tasks.copy.steps]]
name = "copy"
environment = "one"
command = ["python", "steps/copy.py", "{input.text}", "{output.out}"]
inputs = { text = "task:text" }
outputs = { out = "out.txt" }
"""
COPY = {"steps/copy.py": "import shutil, sys; shutil.copyfile(*sys.argv[1:])"}

REQUEST = LockRequest("tools", "1", "3.11", ("six==1.16.0", "wheel"), ("idna==3",))
SIX = LockedPackage("six", "1.16.0", "", (LockedWheel("six-1.16.0-py2.py3-none-any.whl", "a" * 64),))
MARKUPSAFE = LockedPackage("markupsafe", "3.0", "", (LockedWheel("markupsafe-3.0-py3-none-any.whl", "a" * 64),))


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    """A project whose environment `one` was locked without requirements."""
    folder = write_project(tmp_path / "project", minor_of(host.usable[0]), TASK, COPY)
    (folder / "in.txt").write_text("text")
    return folder


def want_more(project: Path) -> None:
    """Change the requirements, and do not lock."""
    file = project / "envguard.toml"
    file.write_text(file.read_text().replace("requirements = []", 'requirements = ["six==1.17.0"]', 1))


def refused(ended: Ended) -> bool:
    one_sentence = "is stale: the catalog has the requirement 'six==1.17.0', which the lock lacks."
    return ended.code == 3 and one_sentence in ended.err and "`envguard lock one`" in ended.err


USES = {
    "create": ("create", "one"),
    "setup": ("setup",),
    "path": ("path", "one"),
    "run": ("run", "copy", "in.txt", "-o", "out.txt"),
    "exec": ("exec", "one", "--", "python", "-c", "print('ran')"),
    "prove": ("prove", "one"),
    "export": ("export", "one", "--format", "requirements"),
    "export for another Python": ("export", "one", "--format", "requirements", "--python", "MINOR"),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_is_made_of_a_stale_lock(project: Path, store_home: Path, host: HostFacts, use: str) -> None:
    want_more(project)
    arguments = [minor_of(host.usable[0]) if each == "MINOR" else each for each in USES[use]]
    ended = envguard(*arguments, home=store_home, cwd=project)
    assert refused(ended), ended
    assert "ran" not in ended.out
    assert not (project / "out.txt").exists()
    assert not list(project.rglob("proofs.json"))


def test_no_workflow_is_written_for_a_stale_lock(project: Path, store_home: Path) -> None:
    want_more(project)
    for form in ("github", "gitlab"):
        ended = envguard("ci", form, "copy", "in.txt", "--install", "true", home=store_home, cwd=project)
        assert refused(ended), ended
        assert "--frozen" not in ended.err


def test_a_ready_environment_is_refused_once_its_lock_is_stale(project: Path, store_home: Path) -> None:
    run = ("exec", "one", "--", "python", "-c", "print('ran')")
    assert envguard(*run, home=store_home, cwd=project).out == "ran\n"
    assert envguard(*run, home=store_home, cwd=project).out == "ran\n", "and from the record of what is ready"
    want_more(project)
    assert refused(envguard(*run, home=store_home, cwd=project))
    trusted(project)
    frozen = envguard("exec", "--frozen", "one", "--", "python", "-c", "print('ran')", home=store_home, cwd=project)
    assert frozen.out == "ran\n", frozen.err
    assert refused(envguard(*run, home=store_home, cwd=project)), "--frozen was for that command alone"


def test_a_frozen_run_says_so_in_its_receipt_and_is_rebuilt_frozen(project: Path, store_home: Path) -> None:
    want_more(project)
    trusted(project)
    run = envguard("run", "copy", "in.txt", "-o", "out.txt", "--frozen", "--json", home=store_home, cwd=project)
    assert run.code == 0, run.err
    said = "the catalog has the requirement 'six==1.17.0', which the lock lacks"
    assert run.document["environments"][0]["frozen"] == said
    receipt = json.loads((project / "out.txt.receipt.json").read_text())
    assert receipt["environments"][0]["frozen"] == said
    rebuild = ("verify-receipt", "out.txt.receipt.json", "--rebuild")
    assert envguard(*rebuild, home=store_home, cwd=project).code == 3
    again = envguard(*rebuild, "--frozen", home=store_home, cwd=project)
    assert again.code == 0, again


def test_the_matrix_and_the_list_call_it_stale(project: Path, store_home: Path) -> None:
    want_more(project)
    assert "its lock is stale: " in envguard("matrix", "one", home=store_home, cwd=project).out
    listed = envguard("list", home=store_home, cwd=project)
    assert listed.code == 0
    assert "one: not available here: The lock of one 1 for Python" in listed.out


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (
            Lock("other", "1", "3.11", "now", REQUEST.requires, REQUEST.overrides, (SIX,)),
            "environment other, not tools",
        ),
        (Lock("tools", "2", "3.11", "now", REQUEST.requires, REQUEST.overrides, (SIX,)), "edition 2, not 1"),
        (Lock("tools", "1", "3.12", "now", REQUEST.requires, REQUEST.overrides, (SIX,)), "Python 3.12, not 3.11"),
        (
            Lock("tools", "1", "3.11", "now", ("six", "wheel"), REQUEST.overrides, (SIX,)),
            "'six==1.16.0', the lock 'six'",
        ),
        (Lock("tools", "1", "3.11", "now", ("wheel", "six==1.16.0"), REQUEST.overrides, (SIX,)), "in another order"),
        (Lock("tools", "1", "3.11", "now", REQUEST.requires, (), (SIX,)), "override 'idna==3', which the lock lacks"),
        (
            Lock("tools", "1", "3.11", "now", REQUEST.requires, ("idna==3", "x"), (SIX,)),
            "override 'x', which the catalog",
        ),
    ],
)
def test_the_difference_is_named(lock: Lock, said: str) -> None:
    assert said in difference(lock, REQUEST)


def test_what_is_locked_as_asked_is_not_stale() -> None:
    assert difference(REQUEST.lock("now", (SIX, MARKUPSAFE)), REQUEST) == ""


def test_another_package_of_npm_makes_a_lock_stale() -> None:
    package = NpmPackage("left-pad", "1.3.0", "A" * 86 + "==")
    asked = replace(REQUEST, npm=(package,))
    assert difference(asked.lock("now", (SIX,)), asked) == ""
    assert f"has the npm package '{package}', which the lock lacks" in difference(REQUEST.lock("now", (SIX,)), asked)


def test_a_lock_with_or_without_dependencies_is_not_the_other() -> None:
    alone = replace(REQUEST, dependencies=False)
    assert difference(alone.lock("now", (SIX,)), alone) == ""
    assert difference(alone.lock("now", (SIX,)), REQUEST) == "it was made without dependencies"
    assert difference(REQUEST.lock("now", (SIX, MARKUPSAFE)), alone) == "it was made with dependencies"
