"""Source at an address or in a commit of Git is built like an sdist of an index, from exactly what the lock names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from envguard.locks.lockfile import LockedPackage
from tests.support.local_index import BACKEND, make_sdist, make_wheel
from tests.support.places import Project

pytestmark = pytest.mark.slow

NAMES = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
PLANTED = "open({path!r}, 'w')"


class Repository:
    """A repository of Git with a project in a folder of it, which the server has as plain files."""

    def __init__(self, folder: Path, served: Path) -> None:
        self.folder, self.served = folder, served
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{
                f"GIT_{who}_{what}": "me@packages.example"
                for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")
            },
        }
        run = subprocess.run(["git", *arguments], cwd=self.folder, env=variables, capture_output=True, check=True)
        return run.stdout.decode().strip()

    def commit(self, version: str, setup: str = "") -> str:
        """Write a release of the project, and let the server have it; gives back the commit."""
        archive = make_sdist(self.folder.parent, "ours", version, setup)
        shutil.rmtree(self.folder / "python", ignore_errors=True)
        shutil.unpack_archive(archive, self.folder / "unpacked")
        (self.folder / "unpacked" / f"ours-{version}").rename(self.folder / "python")
        (self.folder / "unpacked").rmdir()
        # What a filter or a hook would do, if one ran.
        (self.folder / ".gitattributes").write_text("* filter=evil export-ignore\n")
        self.git("add", ".")
        return self.serve(version)

    def serve(self, message: str) -> str:
        """Commit what is staged, and let the server have it; gives back the commit."""
        self.git("commit", "--quiet", "--message", message)
        self.git("update-server-info")
        shutil.rmtree(self.served, ignore_errors=True)
        shutil.copytree(self.folder / ".git", self.served)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(project: Project, tmp_path: Path) -> Repository:
    make_wheel(project.server.folder, "backend", "1.0", code=BACKEND)
    found = Repository(tmp_path / "checkout", project.server.folder / "elsewhere" / "ours.git")
    project.requires(f"ours @ git+{project.server.at('elsewhere/ours.git')}@main#subdirectory=python")
    return found


def ours(project: Project) -> LockedPackage:
    return next(each for each in project.lock.packages if each.name == "ours")


def test_a_branch_is_locked_to_its_commit_until_the_lock_is_made_anew(
    project: Project,
    repository: Repository,
) -> None:
    first = repository.commit("1.0", "needs = ['common']")
    before = project.locked()
    assert (ours(project).commit, ours(project).version) == (first, "1.0")
    assert [package.name for package in before.packages] == ["common", "ours"]
    assert before.built == ("ours 1.0",)
    assert "://" not in before.text()
    second = repository.commit("2.0")
    shutil.rmtree(project.home)
    assert project.run("lock").code == 0
    assert project.lock == before
    created = project.run("create", "tools")
    assert created.code == 0, created.err
    assert project.run("create", "tools", "--offline").code == 0
    shown = project.run("lock", "--diff", "--upgrade").out
    assert "1.0 → 2.0" in shown
    assert project.run("lock", "--upgrade").code == 0
    assert (ours(project).commit, ours(project).version) == (second, "2.0")
    exported = project.run("export", "tools", "--format", "pylock")
    assert exported.code == 0, exported.err
    assert f'commit-id = "{second}", subdirectory = "python" }}' in exported.out


def test_somebody_else_builds_the_same_wheel_with_pip_too(project: Project, repository: Repository) -> None:
    commit = repository.commit("1.0")
    address = project.server.at("elsewhere/ours.git")
    project.requires(f"ours @ git+{address}@{commit[:12]}#subdirectory=python")
    project.locked()
    assert ours(project).commit == commit
    shutil.rmtree(project.home)
    created = project.run("create", "tools", ENVGUARD_INSTALLER="pip")
    assert created.code == 0, created.err
    shutil.rmtree(project.home)
    shutil.rmtree(repository.served)
    refused = project.run("create", "tools")
    assert refused.code == 3
    assert "cannot be fetched" in refused.err


def test_nothing_of_a_repository_is_fetched_or_run_before_the_project_is_trusted(
    project: Project,
    repository: Repository,
    tmp_path: Path,
) -> None:
    repository.commit("1.0", PLANTED.format(path=str(tmp_path / "planted")))
    address = project.server.at("elsewhere/ours.git")
    project.requires(f"ours @ git+{address}", trust=False)
    project.server.index.asked.clear()
    assert project.run("lock").code == 2
    assert not project.server.index.asked
    assert not (tmp_path / "planted").exists()


def test_a_submodule_is_refused(project: Project, repository: Repository) -> None:
    commit = repository.commit("1.0")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},python/inner")
    repository.serve("with another in it")
    refused = project.run("lock")
    assert refused.code == 2
    assert "holds another repository" in refused.err


def test_an_archive_at_an_address_is_built_and_another_one_there_is_refused(project: Project) -> None:
    make_wheel(project.server.folder, "backend", "1.0", code=BACKEND)
    elsewhere = project.server.folder / "elsewhere"
    archive = make_sdist(elsewhere, "ours", "1.0").rename(elsewhere / "v1.0.tar.gz")
    project.requires(f"ours @ {project.server.at('elsewhere/' + archive.name)}")
    project.locked()
    build = ours(project).build
    assert build is not None
    assert (ours(project).version, build.filename) == ("1.0", "v1.0.tar.gz")
    shutil.rmtree(project.home)
    assert project.run("create", "tools").code == 0
    shutil.rmtree(project.home)
    make_sdist(elsewhere, "ours", "1.0", "raise SystemExit('run')").rename(archive)
    for command in (["lock"], ["create", "tools"]):
        refused = project.run(*command)
        assert refused.code == 3
        assert "is not the one of the lock" in refused.err
