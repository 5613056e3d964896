"""What a requirement gives the address of is locked by its hash, and nothing else under that address is ever used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.local_index import make_wheel
from tests.support.places import WHEEL, Project

pytestmark = pytest.mark.slow


def test_a_wheel_at_an_address_is_locked_by_its_hash_with_what_it_needs(project: Project) -> None:
    common, ours = project.locked().packages
    assert (common.name, common.address) == ("common", "")
    assert (ours.version, [wheel.filename for wheel in ours.wheels]) == ("1.0", [WHEEL])
    assert f"# requires: ours @ address:{ours.address}\n" in project.lock.text()
    assert "://" not in project.lock.text()
    assert project.run("lock", "--check").code == 0


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_it_is_installed_and_a_folder_of_wheels_is_enough(project: Project, tmp_path: Path, tool: str) -> None:
    project.locked()
    shutil.rmtree(project.home)  # as for somebody else, who has only the project
    environ = {"ENVGUARD_INSTALLER": tool}
    created = project.run("create", "tools", **environ)
    assert created.code == 0, created.err
    assert project.run("exec", "tools", "--", "python", "-c", "import ours, common", **environ).code == 0
    house = tmp_path / "house"
    house.mkdir()
    for each in ("elsewhere/" + WHEEL, "common-1.0-py3-none-any.whl"):
        shutil.copy(project.server.folder / each, house)
    other = Project(project.folder, tmp_path / "other", project.server)
    project.server.index.asked.clear()
    created = other.run("create", "tools", "--offline", "--find-links", house, **environ)
    assert created.code == 0, created.err
    assert not project.server.index.asked
    third = Project(project.folder, tmp_path / "third", project.server)
    assert f"{WHEEL} is not here" in third.run("create", "tools", "--offline", **environ).err


@pytest.mark.network
def test_it_is_in_a_wheelhouse(project: Project, tmp_path: Path, store_home: Path) -> None:
    assert envguard("create", "pip", home=store_home, cwd=tmp_path).code == 0
    project = Project(project.folder, store_home, project.server)
    project.locked()
    ended = project.run("export", "tools", "--format", "wheelhouse", "-o", tmp_path / "house")
    assert ended.code == 0, ended.err
    assert (tmp_path / "house" / WHEEL).read_bytes() == (project.server.folder / "elsewhere" / WHEEL).read_bytes()


def test_what_is_another_at_its_address_is_refused_until_the_lock_is_made_anew(project: Project) -> None:
    before = project.locked()
    shutil.rmtree(project.home)
    make_wheel(project.server.folder / "elsewhere", "ours", "1.0", code="print('tampered')")
    for command in (["lock"], ["lock", "--check"], ["create", "tools"]):
        ended = project.run(*command)
        assert ended.code == 3
        assert "is not the one of the lock" in ended.err
        assert "--upgrade-package ours" in ended.err
    assert project.lock == before
    assert not list(project.home.rglob(WHEEL))
    assert project.run("lock", "--upgrade-package", "ours").code == 0
    assert project.lock.packages[-1].wheels != before.packages[-1].wheels


def test_a_hash_in_the_address_must_be_that_of_the_file(project: Project) -> None:
    project.requires(f"ours @ {project.server.at('elsewhere/' + WHEEL)}#sha256={'0' * 64}")
    ended = project.run("lock")
    assert ended.code == 3
    assert f"not {'0' * 64}" in ended.err
    assert not (project.folder / "lockfiles").exists()


def test_another_address_in_the_catalog_makes_the_lock_stale(project: Project) -> None:
    project.locked()
    shutil.copytree(project.server.folder / "elsewhere", project.server.folder / "elsewhere" / "moved")
    project.requires(f"ours @ {project.server.at('elsewhere/moved/' + WHEEL)}")
    ended = project.run("create", "tools")
    assert ended.code == 3
    assert "is stale" in ended.err
    project.locked()
    assert project.run("create", "tools").code == 0


def test_nothing_is_asked_of_an_address_that_an_untrusted_project_names(project: Project) -> None:
    project.locked()
    project.requires(f"ours @ {project.server.at('elsewhere/' + WHEEL)}", "common", trust=False)
    project.server.index.asked.clear()
    for command in (["lock"], ["create", "tools", "--frozen"], ["export", "tools", "--format", "wheelhouse"]):
        assert project.run(*command, HOME=str(project.home)).code in (2, 3)
    assert not project.server.index.asked


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://me:s3cr3t@packages.example/ours-1.0-py3-none-any.whl", "~/.netrc"),
        ("git+https://me:s3cr3t@packages.example/ours", "~/.netrc"),
        ("http://packages.example/ours-1.0-py3-none-any.whl", "which is neither"),
        ("https://packages.example/ours-1.0-py3-none-any.whl?token=s3cr3t", "which is neither"),
        ("file:///somewhere/ours-1.0-py3-none-any.whl", "which is neither"),
        ("git+file:///somewhere/ours", "which is neither"),
        ("git+https://packages.example/ours@--upload-pack=evil", "which is neither"),
        ("git+ext::sh -c evil", "which is"),
    ],
)
def test_no_other_address_is_one_and_no_password_is_shown(project: Project, address: str, said: str) -> None:
    project.requires(f"ours @ {address}", trust=False)
    ended = project.run("lock")
    assert ended.code == 2
    assert said in ended.err
    assert "s3cr3t" not in ended.err + ended.out


def test_a_host_that_does_not_answer_is_told(project: Project) -> None:
    project.requires("ours @ https://localhost:9/ours-1.0-py3-none-any.whl")
    ended = project.run("lock")
    assert ended.code == 3
    assert "ours-1.0-py3-none-any.whl cannot be downloaded" in ended.err


def test_requirements_may_give_a_wheel_for_each_platform(project: Project) -> None:
    tag = f"cp{project.server.python.replace('.', '')}"
    wheels = project.folder / "wheels"
    wheels.mkdir()
    linux = make_wheel(wheels, "ours", "1.0", f"{tag}-{tag}-manylinux_2_17_x86_64")
    arm = make_wheel(wheels, "ours", "1.0", f"{tag}-{tag}-manylinux_2_17_aarch64")
    windows = make_wheel(project.server.folder / "elsewhere", "ours", "1.1", f"{tag}-{tag}-win_amd64")
    other = make_wheel(wheels, "ours", "2.0", "cp27-cp27m-win32")
    project.requires(
        f"ours @ file:wheels/{linux.name} ; sys_platform == 'linux' and platform_machine == 'x86_64'",
        f"ours @ file:wheels/{arm.name} ; sys_platform == 'linux' and platform_machine == 'aarch64'",
        f"ours @ {project.server.at('elsewhere/' + windows.name)} ; sys_platform == 'win32'",
        f"ours @ file:wheels/{other.name} ; python_version < '3'",
    )
    found = [(each.version, each.file != "", each.marker != "") for each in project.locked().packages]
    assert found == [("1.0", True, True), ("1.0", True, True), ("1.1", False, True)]
    assert project.run("lock", "--check").code == 0
    assert project.run("lock", "--upgrade-package", "ours").code == 0
    windows.unlink()  # which nothing here needs
    shutil.rmtree(project.home)
    assert project.run("create", "tools").code == 0


def test_two_wheels_for_one_platform_are_refused(project: Project) -> None:
    address = project.server.at("elsewhere/" + WHEEL)
    project.requires(f"ours @ {address}", f"ours @ {address} ; sys_platform == 'win32'")
    ended = project.run("lock")
    assert ended.code == 2
    assert "from two places at once" in ended.err


def test_a_pylock_names_the_address(project: Project) -> None:
    project.locked()
    ended = project.run("export", "tools", "--format", "pylock")
    assert ended.code == 0, ended.err
    assert f'archive = {{ url = "{project.server.at("elsewhere/" + WHEEL)}", hashes' in ended.out
