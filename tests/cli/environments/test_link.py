"""`envguard link`: an editor's path leads to the current build, and nobody removes what it leads to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.projects import CUT_OFF, trusted, write_project


@pytest.fixture
def project(tmp_path: Path, host: HostFacts) -> Path:
    """A trusted project with the bare environments `one` and `two`."""
    python = next(minor_of(each) for each in host.usable if tuple(map(int, minor_of(each).split("."))) >= (3, 10))
    return write_project(tmp_path / "project", python, "", {})


def built(project: Path, home: Path, name: str = "one") -> str:
    return envguard("path", name, home=home, cwd=project).out.strip()


def test_a_link_leads_to_the_build_and_is_no_matter_of_git(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = envguard("link", "one", home=home, cwd=project)
    assert ended.code == 0, ended.err
    link = project / ".envguard" / "one"
    assert str(link.readlink()) == built(project, home)
    subprocess.run([link / "bin" / "python", "-c", ""], check=True)
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    status = subprocess.run(["git", "status", "--short"], cwd=project, check=True, capture_output=True, text=True)
    assert ".envguard" not in status.stdout
    assert envguard("trust", "--show", home=home, cwd=project).code == 0, "a link changes nothing that was trusted"


def test_the_next_build_renews_the_link(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert envguard("link", "one", "--name", "mine", home=home, cwd=project).code == 0
    link = project / ".envguard" / "mine"
    before = link.readlink()
    link.unlink()
    link.symlink_to(before.parent.parent / "one-older" / "venv")
    assert envguard("create", "one", home=home, cwd=project).code == 0
    assert link.readlink() == before
    assert envguard("create", "two", home=home, cwd=project).code == 0
    assert link.readlink() == before


def test_proofs_of_a_new_lock_and_repairs_leave_no_link_behind(project: Path, tmp_path: Path) -> None:
    home, link = tmp_path / "home", project / ".envguard" / "one"
    assert envguard("link", "one", home=home, cwd=project).code == 0
    before = link.readlink()
    (lock,) = (project / "lockfiles" / "one").rglob("cp3*.txt")
    lock.write_text(lock.read_text().replace(CUT_OFF, "2026-11-21T00:00:00Z"))
    trusted(project)
    assert envguard("prove", "one", home=home, cwd=project).code == 0
    assert link.readlink() != before
    assert str(link.readlink()) == built(project, home)
    (link / "pyvenv.cfg").write_text("home = elsewhere\n")
    assert envguard("store", "verify", "--repair", home=home, cwd=project).code == 0
    subprocess.run([link / "bin" / "python", "-c", ""], check=True)


def test_the_store_keeps_what_a_link_leads_to_until_the_link_is_gone(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert envguard("link", "one", home=home, cwd=project).code == 0
    folder = Path(built(project, home)).parent
    swept = envguard("store", "gc", "--max-size", "1kB", "--json", home=home, cwd=project).document
    assert [each["path"] for each in swept["spared"]] == [str(folder)]
    assert "links to it" in swept["spared"][0]["why"]
    (project / ".envguard" / "one").unlink()
    swept = envguard("store", "gc", "--max-size", "1kB", "--json", home=home, cwd=project).document
    assert str(folder) in [each["path"] for each in swept["removed"]]
    assert not list((home / "links").iterdir()), "the record of a link that is gone goes, too"


def test_a_link_can_be_removed(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert envguard("link", "one", home=home, cwd=project).code == 0
    assert envguard("link", "one", "--remove", home=home, cwd=project).code == 0
    assert [path.name for path in (project / ".envguard").iterdir()] == [".gitignore"]
    assert "there was no link" in envguard("link", "one", "--remove", home=home, cwd=project).out


def test_nothing_but_a_link_is_replaced_and_nothing_outside_is_written(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (project / ".envguard").symlink_to(elsewhere)
    ended = envguard("link", "one", home=home, cwd=project)
    assert (ended.code, list(elsewhere.iterdir())) == (2, [])
    (project / ".envguard").unlink()
    (project / ".envguard" / "one").mkdir(parents=True)
    ended = envguard("link", "one", home=home, cwd=project)
    assert (ended.code, "is not a link" in ended.err) == (2, True)
    assert envguard("link", "one", "--name", "../out", home=home, cwd=project).code == 2


def test_an_environment_without_ipykernel_is_no_kernel(project: Path, tmp_path: Path) -> None:
    data = tmp_path / "jupyter"
    ended = envguard("link", "one", "--kernel", home=tmp_path / "home", cwd=project, JUPYTER_DATA_DIR=str(data))
    assert (ended.code, "ipykernel is not in it" in ended.err, data.exists()) == (2, True, False)


@pytest.mark.network
@pytest.mark.slow
def test_a_kernel_starts_the_environments_python(tmp_path: Path, store_home: Path) -> None:
    project, data = tmp_path / "project", tmp_path / "jupyter"
    project.mkdir()
    (project / "envguard.toml").write_text(
        'schema = 1\n[environments.book]\nsummary = "x"\npythons = ["3.11"]\ncheck = "checks.imports"\n'
        'check-options = { modules = ["ipykernel"] }\n[environments.book.editions.1]\nrequirements = ["ipykernel"]\n'
    )
    for command in (["lock"], ["trust"], ["link", "book", "--kernel"]):
        ended = envguard(*command, home=store_home, cwd=project, JUPYTER_DATA_DIR=str(data))
        assert ended.code == 0, ended.err
    (spec,) = (data / "kernels").iterdir()
    python, *rest = json.loads((spec / "kernel.json").read_text())["argv"]
    assert rest == ["-I", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    said = subprocess.run([python, "-I", "-m", "ipykernel_launcher", "--version"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert envguard("link", "book", "--remove", home=store_home, cwd=project, JUPYTER_DATA_DIR=str(data)).code == 0
    assert not spec.exists()
