"""A project's catalog is found upwards, must be its user's own, and comes after the built-in one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog, find_project, load_catalog
from envguard.errors import BadInput, BrokenData
from tests.support.command import envguard
from tests.support.projects import bare, write_project

as_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", "3.11", "", {})


def test_the_nearest_file_upwards_is_the_project(project: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below, {}) == project / "envguard.toml"
    (project / "a" / "envguard.toml").write_text("schema = 1\n")
    assert find_project(below, {}) == project / "a" / "envguard.toml"
    assert find_project(project.parent, {"HOME": str(project.parent)}) is None


def test_nothing_above_the_home_folder_is_looked_at(project: Path) -> None:
    home = project / "home"
    (home / "work").mkdir(parents=True)
    assert find_project(home / "work", {"HOME": str(home)}) is None
    assert find_project(home / "work", {"HOME": "/elsewhere"}) == project / "envguard.toml"


def test_a_project_that_is_named_is_taken_from_anywhere(project: Path, tmp_path: Path) -> None:
    for named in (project, project / "envguard.toml"):
        assert find_project(tmp_path, {"ENVGUARD_PROJECT": str(named)}) == project / "envguard.toml"
    with pytest.raises(BadInput, match="There is no project"):
        find_project(project, {"ENVGUARD_PROJECT": str(tmp_path / "none")})


@posix
def test_a_file_that_all_can_write_to_is_not_used_unless_it_is_named(project: Path) -> None:
    (project / "envguard.toml").chmod(0o666)
    with pytest.raises(BadInput, match="was ignored") as caught:
        find_project(project, {})
    assert "every user can write to " in caught.value.why
    assert find_project(project, {"ENVGUARD_PROJECT": str(project)})
    (project / "envguard.toml").chmod(0o644)
    project.chmod(0o777)
    with pytest.raises(BadInput, match="was ignored"):
        find_project(project, {})
    project.chmod(0o1777)
    assert find_project(project, {})


@as_root
def test_a_file_of_another_user_is_not_used_unless_root_works_for_him(project: Path) -> None:
    os.chown(project / "envguard.toml", 12345, 12345)
    with pytest.raises(BadInput, match="was ignored") as caught:
        find_project(project, {})
    assert "belongs to another user" in caught.value.why
    assert find_project(project, {"SUDO_UID": "12345"})


def test_a_project_comes_after_what_is_built_in_and_keeps_its_own_locks(project: Path) -> None:
    catalog = load_catalog(project, {})
    builtin = builtin_catalog()
    assert list(catalog.environments) == [*builtin.environments, "one", "two"]
    assert catalog.environments["quantize"] == builtin.environments["quantize"]
    assert catalog.environments["one"].lockfiles == project / "lockfiles"
    assert catalog.project == project
    assert load_catalog(project.parent, {"HOME": str(project.parent)}) == builtin


@pytest.mark.parametrize("name", ["quantize", "samples"])
def test_built_in_names_cannot_be_taken(project: Path, name: str) -> None:
    (project / "envguard.toml").write_text("schema = 1\n" + bare(name, "3.11"))
    with pytest.raises(BrokenData, match=rf"environments\.{name} is the name of a built-in one"):
        load_catalog(project, {})


def test_tasks_of_a_project_are_commands_and_a_broken_project_says_where(project: Path, tmp_path: Path) -> None:
    file = project / "envguard.toml"
    task = """
[tasks.hello]
summary = "Say hello"
output = "say:out"
[[tasks.hello.steps]]
name = "say"
environment = "one"
command = ["python", "-c", "open('out.txt', 'w')"]
outputs = { out = "out.txt" }
"""
    file.write_text(file.read_text() + task)
    listed = envguard("--project", project, "run", "--help", home=tmp_path / "home", cwd=tmp_path)
    assert "Say hello" in listed.out
    unnamed = envguard("run", "hello", home=tmp_path / "home", cwd=project)
    assert (unnamed.code, "next: Name a file" in " ".join(unnamed.err.split())) == (2, True)
    unknown = envguard("run", "helo", home=tmp_path / "home", cwd=project)
    assert unknown.code == 2
    assert "hello" in unknown.err
    file.write_text(file.read_text().replace("summary", "sumary", 1))
    broken = envguard("run", "hello", "-o", "x", home=tmp_path / "home", cwd=project)
    assert broken.code == 2
    assert "envguard.toml: environments.one: " in broken.err
