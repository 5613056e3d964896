"""Packages without wheels are built once, from a locked sdist with locked tools, and reach nothing meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.backends.building.wheels import why_not_shut_in
from envguard.errors import EnvguardError, NoEnvironment
from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import LockRequest, read_lock
from envguard.locks.resolver import CannotResolve
from envguard.locks.staleness import difference
from envguard.planning import minor_of
from envguard.requirement import parsed
from envguard.running.environments.building import builder_of
from envguard.running.environments.places.finding import locked_with_places
from envguard.store.built import built_wheels_folder, sdists_folder
from tests.support.local_index import BACKEND, make_authority, make_sdist, make_wheel, serving
from tests.support.sources import CUT_OFF, Sources, shop_of, sources_in

pytestmark = pytest.mark.slow

HOSTILE = """
import os, pathlib, socket
def attempt(what):
    try:
        what()
    except OSError as error:
        return "refused"
    return "done"
place = pathlib.Path({elsewhere!r})
stamp = " ".join((
    attempt(lambda: (place / "planted").write_text("x")),
    attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 5)),
    attempt(lambda: pathlib.Path("beside").write_text("x")),
    str("SECRET" in os.environ),
))
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, host: HostFacts) -> Iterator[Sources]:
    folder = tmp_path_factory.mktemp("index")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    make_wheel(folder, "backend", "1.0", code=BACKEND)
    make_wheel(folder, "common", "1.0")
    make_sdist(folder, "plain", "1.0", "needs = ['common ; python_version > \"3\"']")
    make_sdist(folder, "moody", "1.0", "import os; stamp = os.urandom(8).hex()")
    # As an index may have it besides: another wheel of the release that is to be built.
    make_wheel(folder, "plain", "1.0", code="raise SystemExit")
    make_sdist(folder, "broken", "1.0", "raise SystemExit('no compiler here')")
    with serving(folder, authority) as index:
        yield sources_in(folder, index, authority, host)


def test_a_lock_names_the_sdist_and_what_built_it_and_what_the_wheel_requires(sources: Sources, tmp_path: Path) -> None:
    lock = sources.locked(tmp_path, "plain==1.0")
    common, plain = lock.packages
    assert common.name == "common"
    assert plain.build is not None
    assert plain.build.filename == "plain-1.0.tar.gz"
    assert [tool.filename for tool in plain.build.tools] == ["backend-1.0-py3-none-any.whl"]
    assert [wheel.filename for wheel in plain.wheels] == ["plain-1.0-py3-none-any.whl"]
    assert lock.built == ("plain 1.0",)
    assert "localhost" not in lock.text()
    path = tmp_path / "lock.txt"
    path.write_text(lock.text(), encoding="utf-8")
    assert read_lock(path) == lock


def test_the_same_sdist_and_tools_give_the_same_lock_in_another_store(sources: Sources, tmp_path: Path) -> None:
    assert sources.locked(tmp_path / "one", "plain==1.0") == sources.locked(tmp_path / "two", "plain==1.0")


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_who_has_the_lock_and_not_the_wheel_builds_it_again(sources: Sources, tmp_path: Path, tool: str) -> None:
    lock = sources.locked(tmp_path / "locking", "plain==1.0")
    shop = shop_of(tmp_path / "other", sources, lock, ENVGUARD_INSTALLER=tool)
    prepared = shop.prepare("tools")
    assert (prepared.built.layout.site_packages / "plain.py").is_file()
    assert prepared.as_json()["built_from_source"] == ["plain 1.0"]


def test_a_folder_of_wheels_is_enough_and_nothing_is_built(sources: Sources, tmp_path: Path) -> None:
    lock = sources.locked(tmp_path / "locking", "plain==1.0")
    (wheel,) = built_wheels_folder(tmp_path / "locking").glob("*/*.whl")
    house = tmp_path / "house"
    house.mkdir()
    for each in (wheel, sources.folder / "common-1.0-py3-none-any.whl"):
        (house / each.name).write_bytes(each.read_bytes())
    assert shop_of(tmp_path / "other", sources, lock, house).prepare("tools").built.fresh
    assert not sdists_folder(tmp_path / "other").exists()
    (house / wheel.name).unlink()
    with pytest.raises(NoEnvironment, match="is not here"):
        shop_of(tmp_path / "third", sources, lock, house).prepare("tools")


def test_a_wheel_that_comes_out_otherwise_is_told_and_not_used(sources: Sources, tmp_path: Path) -> None:
    lock = sources.locked(tmp_path / "locking", "moody==1.0")
    assert shop_of(tmp_path / "locking", sources, lock).prepare("tools").built.fresh
    with pytest.raises(NoEnvironment, match="is not the wheel of the lock"):
        shop_of(tmp_path / "other", sources, lock).prepare("tools")


@pytest.mark.skipif(bool(why_not_shut_in()), reason=f"builds are not shut in here: {why_not_shut_in()}")
def test_a_build_reaches_no_network_and_no_other_folder(sources: Sources, tmp_path: Path) -> None:
    setup = HOSTILE.format(elsewhere=str(tmp_path), port=sources.port)
    make_sdist(sources.folder, "hostile", "1.0", setup)
    lock = sources.locked(tmp_path / "home", "hostile==1.0")
    built = shop_of(tmp_path / "home", sources, lock).prepare("tools").built
    said = (built.layout.site_packages / "hostile.py").read_text(encoding="utf-8")
    assert "'refused refused done False'" in said
    assert not (tmp_path / "planted").exists()


def test_an_sdist_that_is_not_the_one_of_the_lock_is_not_run(sources: Sources, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    path = make_sdist(sources.folder, "swapped", "1.0")
    lock = sources.locked(tmp_path / "locking", "swapped==1.0")
    before = path.read_bytes()
    make_sdist(sources.folder, "swapped", "1.0", f"open({str(planted)!r}, 'w')")
    with pytest.raises(EnvguardError, match="does not have the sdist"):
        shop_of(tmp_path / "other", sources, lock).prepare("tools")
    assert not planted.exists()
    path.write_bytes(before)


def test_a_failed_build_quotes_what_builds_it(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(NoEnvironment, match="could not be built") as failure:
        sources.locked(tmp_path, "broken==1.0")
    assert "no compiler here" in failure.value.why


def test_an_sdist_that_nobody_named_is_not_built(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(CannotResolve):
        builder_of(sources.environ, tmp_path).locked(replace(sources.request("moody==1.0"), build=()), cut_off=CUT_OFF)
    assert not sdists_folder(tmp_path).exists()


def test_a_lock_is_stale_once_something_else_is_to_be_built(sources: Sources, tmp_path: Path) -> None:
    lock = sources.locked(tmp_path, "plain==1.0")
    assert difference(lock, sources.request("plain==1.0")) == ""
    assert "package to build" in difference(lock, replace(sources.request("plain==1.0"), build=()))


def test_a_wheel_of_the_project_is_locked_by_its_hash_and_what_it_needs_with_it(
    sources: Sources, tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()
    wheel = make_wheel(tmp_path / "wheels", "ours", "1.0", needs=("common",))
    # Somebody else's of the same name and version, as an index may have.
    make_wheel(sources.folder, "ours", "1.0", code="raise SystemExit")
    requires = ("ours @ file:wheels/ours-1.0-py3-none-any.whl ; python_version > '3'",)
    request = LockRequest("tools", "1", sources.python, requires, folder=tmp_path)
    lock = locked_with_places(builder_of(sources.environ, tmp_path / "home"), request, cut_off=CUT_OFF)
    path = tmp_path / "lock.txt"
    path.write_text(lock.text(), encoding="utf-8")
    assert read_lock(path) == lock
    assert str(tmp_path) not in lock.text()
    assert {package.name: package.file for package in lock.packages} == {"common": "", "ours": f"wheels/{wheel.name}"}
    for tool in ("uv", "pip"):
        shop = shop_of(tmp_path / tool, sources, lock, folder=tmp_path, ENVGUARD_INSTALLER=tool)
        assert shop.prepare("tools").built.fresh
    make_wheel(tmp_path / "wheels", "ours", "1.0", code="changed = True")
    with pytest.raises(NoEnvironment, match="is not the one of the lock"):
        shop_of(tmp_path / "third", sources, lock, folder=tmp_path).prepare("tools")


@pytest.mark.parametrize(("requirement", "own"), [("-e .", "true"), ("./ours/", '"ours"')])
def test_a_folder_of_the_project_is_told_to_be_a_package_of_its_own(requirement: str, own: str) -> None:
    with pytest.raises(ValueError, match=f"by project = {own} in its environment"):
        parsed(requirement, local=True)


@pytest.mark.parametrize(
    "requirement",
    [
        "-e ../ours",
        "/ours",
        "git+https://example.org/ours",
        "ours @ file:ours",
        "https://example.org/ours-1.0-py3-none-any.whl",
    ],
)
def test_what_is_no_package_of_an_index_is_told_with_what_to_write(requirement: str) -> None:
    with pytest.raises(ValueError, match=r"'NAME @ https://HOST/FILE.whl'.*pip wheel --no-deps --wheel-dir wheels"):
        parsed(requirement, local=True)


@pytest.mark.parametrize(
    "address",
    ["file:../ours-1.0-py3-none-any.whl", "file:///tmp/ours-1.0-py3-none-any.whl", "file:wheels/.x.whl", "file:ours"],
)
def test_a_wheel_out_of_the_project_is_none_of_it(address: str) -> None:
    with pytest.raises(ValueError, match="neither a package of an index"):
        parsed(f"ours @ {address}", local=True)


@pytest.mark.network
def test_two_real_packages_come_out_the_same_in_two_stores(tmp_path: Path, host: HostFacts) -> None:
    request = LockRequest(
        "tools", "1", minor_of(host.usable[0]), ("promise==2.3", "docopt==0.6.2"), build=("docopt", "promise")
    )
    environ = dict(os.environ)
    first, second = (
        builder_of(environ, tmp_path / name).locked(request, cut_off="2026-06-01T00:00:00Z") for name in ("one", "two")
    )
    assert first == second
    assert [package.name for package in first.packages] == ["docopt", "promise", "six"]
