"""Nothing is read or run that another user could have put there: project, links, store, and every folder above them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.catalog import find_project
from envguard.errors import BadInput
from envguard.host.interpreters import HostFacts
from envguard.ownership import owners, stranger
from envguard.planning import minor_of
from envguard.store.home import FOLDERS, envguard_home
from tests.support.command import envguard
from tests.support.projects import trusted, write_project

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has other rights"),
]
as_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
ALICE = 12345
MINE = owners({})


def give(path: Path, user: int = ALICE) -> None:
    os.chown(path, user, user, follow_symlinks=False)


@as_root
def test_a_link_to_an_own_file_in_a_strangers_folder_is_not_followed(tmp_path: Path) -> None:
    bob = write_project(tmp_path / "bob", "3.11", "", {})
    alice = tmp_path / "alice"
    (alice / "stuff").mkdir(parents=True)
    (alice / "stuff" / "envguard.toml").symlink_to(bob / "envguard.toml")
    for place in (alice, alice / "stuff", alice / "stuff" / "envguard.toml"):
        give(place)
    with pytest.raises(BadInput, match="was ignored") as caught:
        find_project(alice / "stuff", {})
    assert "belongs to another user" in caught.value.why


@as_root
@pytest.mark.parametrize("what", ["the link", "the folder", "a folder above", "the file", "the file's folder"])
def test_each_part_of_the_way_to_a_project_is_asked(tmp_path: Path, what: str) -> None:
    real = write_project(tmp_path / "elsewhere" / "real", "3.11", "", {})
    folder = tmp_path / "above" / "project"
    folder.mkdir(parents=True)
    (folder / "envguard.toml").symlink_to(real / "envguard.toml")
    assert find_project(folder, {}) == folder / "envguard.toml"
    give(
        {
            "the link": folder / "envguard.toml",
            "the folder": folder,
            "a folder above": tmp_path / "above",
            "the file": real / "envguard.toml",
            "the file's folder": real,
        }[what]
    )
    with pytest.raises(BadInput, match="was ignored"):
        find_project(folder, {})


def test_a_parent_that_all_may_write_to_is_refused_unless_only_owners_may_delete(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "above" / "project", "3.11", "", {})
    (tmp_path / "above").chmod(0o777)
    with pytest.raises(BadInput, match="was ignored") as caught:
        find_project(folder, {})
    assert f"every user can write to {tmp_path / 'above'}" in caught.value.why
    (tmp_path / "above").chmod(0o1777)
    assert find_project(folder, {})


@as_root
def test_a_group_that_may_write_counts_unless_it_is_the_users_own(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", "3.11", "", {})
    folder.chmod(0o775)
    assert find_project(folder, {}), "root's own group"
    os.chown(folder, 0, ALICE)
    with pytest.raises(BadInput, match="was ignored") as caught:
        find_project(folder, {})
    assert f"the users of group {ALICE} can write" in caught.value.why


def test_links_that_lead_round_in_circles_end(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert "too many links" in stranger(str(tmp_path / "one"), MINE)


@pytest.mark.parametrize("mode", [0o777, 0o707, 0o702])
def test_a_store_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    home = tmp_path / "store"
    home.mkdir()
    home.chmod(mode)
    with pytest.raises(BadInput, match="was ignored"):
        envguard_home({"ENVGUARD_HOME": str(home)})
    ended = envguard("list", home=home)
    assert ended.code == 2
    assert f"every user can write to {home}, and what lies there is run" in ended.err
    assert not list(home.iterdir())


@as_root
def test_where_only_owners_may_delete_what_others_made_first_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "store"
    home.mkdir()
    home.chmod(0o1777)
    assert envguard_home({"ENVGUARD_HOME": str(home)}) == home
    assert {path.name for path in home.iterdir()} == set(FOLDERS), "so that nobody else makes them first"
    give(home / "environments")
    with pytest.raises(BadInput, match="was ignored"):
        envguard_home({"ENVGUARD_HOME": str(home)})


@pytest.mark.parametrize("folder", FOLDERS)
def test_so_is_one_with_a_folder_that_others_can_write_to(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder).chmod(0o777)
    with pytest.raises(BadInput, match="was ignored"):
        envguard_home({"ENVGUARD_HOME": str(tmp_path)})


def test_so_is_one_below_a_folder_that_others_can_write_to(tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    (tmp_path / "above").chmod(0o777)
    for home in (tmp_path / "above" / "store", tmp_path / "above" / "not" / "yet"):
        with pytest.raises(BadInput, match="was ignored"):
            envguard_home({"ENVGUARD_HOME": str(home)})


@as_root
def test_so_is_one_of_another_user_also_through_a_link(tmp_path: Path) -> None:
    theirs, link = tmp_path / "theirs", tmp_path / "link"
    theirs.mkdir()
    give(theirs)
    link.symlink_to(theirs)
    for home in (theirs, link, theirs / "below"):
        with pytest.raises(BadInput, match="was ignored") as caught:
            envguard_home({"ENVGUARD_HOME": str(home)})
        assert f"belongs to another user (number {ALICE})" in caught.value.why
    assert envguard_home({"ENVGUARD_HOME": str(theirs), "SUDO_UID": str(ALICE)}) == theirs


def test_the_umask_does_not_open_a_store_to_others(tmp_path: Path, host: HostFacts) -> None:
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    home, made = tmp_path / "store", tmp_path / "made"
    program = f"import os; os.mkdir({str(made)!r})"
    subprocess.run(
        [sys.executable, "-I", "-m", "envguard", "exec", "one", "--", "python", "-c", program],
        env={**os.environ, "ENVGUARD_HOME": str(home)},
        cwd=project,
        check=True,
        umask=0,
    )
    open_to_others = [
        path
        for path in (home, *home.rglob("*"))
        # uv lets everybody lock its cache and its environments, with files that have no content
        if not path.is_symlink() and path.name != ".lock" and path.stat().st_mode & 0o022
    ]
    assert not open_to_others
    assert made.stat().st_mode & 0o777 == 0o777, "a user's own command has the user's umask"


@as_root
def test_a_forged_record_of_a_ready_environment_runs_nothing(tmp_path: Path, host: HostFacts) -> None:
    """Alice may write to what was once left open, and records a program of hers as a ready environment."""
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    home = tmp_path / "store"
    command = ("exec", "one", "--", "python", "-c", "print('ours')")
    assert envguard(*command, home=home, cwd=project).out == "ours\n"
    (record,) = (home / "shortcuts").iterdir()
    real = Path(record.read_text().split("\n")[2])
    ran = tmp_path / "ran"
    for python in real.glob("venv/bin/python*"):
        python.unlink()
        python.write_text(f"#!/bin/sh\necho alice > {ran}\n")
        python.chmod(0o755)
    for theirs in (record, real):
        give(theirs)
        ended = envguard(*command, home=home, cwd=project)
        assert not ran.exists(), ended
        give(theirs, 0)
    for folder in (home, home / "shortcuts", home / "environments"):
        folder.chmod(0o777)
        ended = envguard(*command, home=home, cwd=project)
        assert (ended.code, ended.out) == (2, "")
        assert not ran.exists()
        folder.chmod(0o755)


def refused_as_a_whole(project: Path, home: Path, place: Path) -> None:
    for command in (("create", "one"), ("trust",)):
        ended = envguard(*command, home=home, cwd=project)
        assert (ended.code, ended.out) == (2, ""), ended
        assert f"{place}" in ended.err
        assert "and the project runs or reads it" in ended.err
    assert envguard("list", home=home, cwd=project).code == 0


@as_root
@pytest.mark.parametrize("what", ["a script", "what it imports", "a lock", "a folder of scripts", "a folder of locks"])
def test_each_file_that_a_project_runs_or_reads_is_asked(tmp_path: Path, host: HostFacts, what: str) -> None:
    python = minor_of(host.usable[0])
    project = write_project(
        tmp_path / "project", python, "", {"checks/works.py": "import helper", "checks/helper.py": ""}
    )
    file = project / "envguard.toml"
    old = 'check = { command = ["python", "-c", "import sys; assert not sys.flags.no_site"] }'
    file.write_text(file.read_text().replace(old, 'check = { command = ["python", "checks/works.py"] }', 1))
    trusted(project)
    place = {
        "a script": project / "checks" / "works.py",
        "what it imports": project / "checks" / "helper.py",
        "a lock": next((project / "lockfiles" / "one").rglob("cp3*.txt")),
        "a folder of scripts": project / "checks",
        "a folder of locks": project / "lockfiles",
    }[what]
    place.chmod(0o777)
    refused_as_a_whole(project, tmp_path / "home", place)
    place.chmod(0o755)
    give(place)
    refused_as_a_whole(project, tmp_path / "home", place)
    assert not (tmp_path / "home" / "environments").exists()
