"""A project's own package in its environments, as a user works on it: edited, run, locked, and not trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.own_packages import BACKEND, CATALOG, PYPROJECT, Project, module, project_in, write_own_package
from tests.support.tiny import PYTHON

pytestmark = pytest.mark.slow

IN_PLACE, BUILT = "it is installed editable", "its wheel is built from its code"
DYNAMIC = PYPROJECT + 'dynamic = ["dependencies"]\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("own")
    return project_in(folder / "project", folder / "home")


def test_a_program_of_the_package_is_found_by_exec(project: Project) -> None:
    assert "first" in project.does("exec", "dev", "--", "mine")


def test_an_edited_file_is_seen_by_the_next_exec_without_a_build(project: Project) -> None:
    project.does("exec", "dev", "--", "mine")
    project.edit("src/mine.py", module("second"))
    assert project.does("exec", "dev", "--", "mine") == "second\n"
    where = project.does("exec", "dev", "--", "python", "-c", "import mine; print(mine.__file__)")
    assert where.strip() == str(project.folder / "src" / "mine.py")


def test_a_step_has_a_wheel_of_the_code_as_it_is_now(project: Project) -> None:
    project.edit("src/mine.py", module("third"))
    project.does("trust")
    first = project.does("run", "say", "-o", "said.txt")
    again = project.does("run", "say", "-o", "said.txt")
    project.edit("src/mine.py", module("fourth"))
    project.does("trust")
    said = project.does("run", "say", "-o", "said.txt")
    assert (BUILT in first, BUILT in again, BUILT in said) == (True, False, True)
    assert (project.folder / "said.txt").read_text() == "fourth site-packages"


def test_the_receipt_names_the_code_and_tells_when_it_is_another(project: Project) -> None:
    project.does("trust")
    project.does("run", "say", "-o", "said.txt")
    receipt = json.loads((project.folder / "said.txt.receipt.json").read_text())
    assert len(receipt["environments"][0]["project"]["."]) == 64
    project.edit("src/mine.py", module("fifth"))
    project.does("trust")
    checked = project.run("verify-receipt", "said.txt.receipt.json", "--rebuild")
    assert checked.code == 1
    assert "code of the package in ., in dev" in checked.out


def test_builds_of_earlier_code_do_not_pile_up(project: Project) -> None:
    for word in ("a", "b", "c", "d", "e"):
        project.edit("src/mine.py", module(word))
        project.does("trust")
        project.does("create", "dev")
    built = [path for path in (project.home / "environments").iterdir() if path.is_dir()]
    assert len([each for each in built if b'"own": "wheels' in (each / "ready.json").read_bytes()]) == 3


def test_what_is_beside_the_package_is_no_part_of_it(project: Project) -> None:
    project.does("trust")
    project.does("create", "dev")
    project.edit("notes.txt", "a table\n")
    (project.folder / "tests").mkdir(exist_ok=True)
    project.edit("tests/test_it.py", "")
    assert BUILT not in project.does("create", "dev")


def test_tree_licenses_link_and_proofs_know_the_package(project: Project) -> None:
    project.does("trust")
    assert "mine 1.0" in project.does("tree", "dev")
    assert "mine 1.0" in project.does("licenses", "dev")
    assert "works" in project.does("prove", "dev")
    project.does("link", "dev")
    project.does("create", "dev")
    linked = project.folder / ".envguard" / "dev"
    assert list(linked.resolve().rglob("mine.pth"))
    assert "unchanged" in project.does("lock", "--check")


def test_an_untrusted_project_builds_nothing(tmp_path: Path) -> None:
    project = Project(write_own_package(tmp_path / "project"), tmp_path / "home")
    for command in (("lock",), ("create", "dev"), ("exec", "dev", "--", "mine"), ("run", "say", "-o", "x")):
        refused = project.run(*command)
        if command != ("lock",):
            assert refused.code == 3  # there is no lock to make it from
            continue
        assert refused.code == 2
        assert "envguard trust" in refused.err
    assert not (project.folder / "lockfiles").exists()
    assert not (tmp_path / "home" / "environments").exists()


def test_changed_code_is_not_built_before_its_user_has_said_so(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", tmp_path / "home")
    project.edit("backend.py", BACKEND + "print('another')\n")
    for command in (("create", "dev"), ("exec", "dev", "--", "mine"), ("run", "say", "-o", "x"), ("lock",)):
        refused = project.run(*command)
        assert refused.code == 2
        assert "~ backend.py" in refused.err
    assert not (tmp_path / "home" / "environments").exists()


def test_dependencies_that_change_make_the_lock_stale(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", tmp_path / "home")
    project.edit("pyproject.toml", PYPROJECT + 'dependencies = ["iniconfig>=2"]\n')
    project.does("trust")
    stale = project.run("create", "dev")
    assert stale.code == 3
    assert "the package in . requires 'iniconfig>=2', which the lock lacks" in stale.err
    project.edit("pyproject.toml", PYPROJECT.replace("requires = []", 'requires = ["hatchling"]'))
    project.does("trust")
    assert "is built with 'hatchling'" in project.run("create", "dev").err


def test_dependencies_that_only_the_backend_knows_are_asked_and_checked(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", tmp_path / "home", {"pyproject.toml": DYNAMIC})
    assert "said.txt" in project.does("run", "say", "-o", "said.txt")
    project.edit("needs.txt", "iniconfig\n")
    # It is part of the package once something names it.
    project.edit("pyproject.toml", DYNAMIC + 'readme = "needs.txt"\n')
    project.does("trust")
    stale = project.run("create", "dev")
    assert stale.code == 3
    assert "the package in . now requires 'iniconfig'" in stale.err


def test_a_backend_without_editable_wheels_has_built_ones_that_exec_renews(tmp_path: Path) -> None:
    backend = BACKEND.replace("def build_editable", "def something_else")
    project = project_in(tmp_path / "project", tmp_path / "home", {"backend.py": backend})
    assert "dev" in (project.folder / "lockfiles/dev/1" / f"cp{PYTHON.replace('.', '')}.txt").read_text()
    assert BUILT in project.does("exec", "dev", "--", "mine")
    project.edit("src/mine.py", module("second"))
    project.does("trust")
    assert "second" in project.does("exec", "dev", "--", "mine")


def test_a_build_writes_into_a_copy_of_the_project(tmp_path: Path) -> None:
    leaves = "(HERE / 'left').write_text('')\n"
    project = project_in(tmp_path / "project", tmp_path / "home", {"backend.py": BACKEND + leaves})
    project.does("exec", "dev", "--", "mine")
    assert not list(project.folder.rglob("left"))


@pytest.mark.parametrize("path", ['"../other"', '["/etc"]', '"linked"'])
def test_a_package_out_of_the_project_is_refused(tmp_path: Path, path: str) -> None:
    write_own_package(tmp_path / "other")
    folder = write_own_package(tmp_path / "project", project=path)
    (folder / "linked").symlink_to(tmp_path / "other")
    refused = envguard("list", home=tmp_path / "home", cwd=folder)
    assert refused.code == 2
    assert "leads out of the project's folder" in refused.err


def test_a_link_in_the_sources_that_leads_out_of_them_is_refused(tmp_path: Path) -> None:
    folder = write_own_package(tmp_path / "project")
    (folder / "src" / "all").symlink_to("/")
    refused = envguard("trust", home=tmp_path / "home", cwd=folder)
    assert refused.code == 2
    assert "is a link that leads to a folder, or out of the package" in refused.err


def test_two_packages_of_a_project_are_installed_together(tmp_path: Path) -> None:
    other = {"other/pyproject.toml": PYPROJECT.replace('"mine"', '"other"'), "other/src/other.py": "word = 'other'\n"}
    other["other/backend.py"] = BACKEND.replace("mine", "other")
    catalog = CATALOG.format(python=PYTHON, project='[".", "other"]')
    project = project_in(tmp_path / "project", tmp_path / "home", {**other, "envguard.toml": catalog})
    assert "other" in project.does("exec", "dev", "--", "python", "-c", "import mine, other; print(other.word)")
    assert "first" in project.does("run", "say", "-o", "said.txt", "--json") or (project.folder / "said.txt").exists()


def test_init_takes_the_package_that_a_pyproject_toml_builds(tmp_path: Path) -> None:
    settings = PYPROJECT + f'requires-python = "=={PYTHON}.*"\ndependencies = []\n'
    folder = write_own_package(tmp_path / "project", {"envguard.toml": None, "pyproject.toml": settings})
    project = Project(folder, tmp_path / "home")
    made = project.does("init", "--from", "pyproject.toml")
    assert made.rstrip().endswith("envguard trust && envguard lock && envguard setup")
    assert "project = true\n" in (folder / "envguard.toml").read_text()
    for command in ("trust", "lock", "setup"):
        project.does(command)
    assert project.does("exec", "mine", "--", "mine").startswith("first\n")
    elsewhere = project.run("init", "--from", "pyproject.toml", str(tmp_path))
    assert elsewhere.code == 2
    assert "mine itself was left out" in elsewhere.err


def test_it_works_with_none_of_our_variables_set(tmp_path: Path) -> None:
    folder = write_own_package(tmp_path / "project")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ENVGUARD_")}
    plain |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    for command in (["trust"], ["lock"], ["exec", "dev", "--", "mine"], ["exec", "dev", "--", "mine"]):
        line = [sys.executable, "-I", "-m", "envguard", *command]
        done = subprocess.run(line, cwd=folder, env=plain, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert done.stdout == "first\n"
