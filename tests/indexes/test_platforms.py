"""What is not asked of a lock never stops one: another Python, and platforms that it is not for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.host.variables import installer_variables
from envguard.locks.lockfile import Lock, LockRequest, read_lock
from envguard.locks.resolver import CannotAsk, CannotResolve, resolve
from envguard.locks.uv import UvSetup, find_uv
from envguard.store.home import installer_cache
from tests.support.local_index import make_authority, make_wheel, serving

pytestmark = pytest.mark.slow

CUT_OFF = "2026-06-01T00:00:00Z"
ELSEWHERE = ("thing", "missing ; python_version >= '3.14'")
ON_WINDOWS = ("thing", "missing ; sys_platform == 'win32'")


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UvSetup]:
    """uv with an index that has `thing` for every platform and `only_linux` for one."""
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "thing", "1.0")
    make_wheel(folder, "only_linux", "1.0", "py3-none-manylinux_2_17_x86_64")
    make_wheel(folder, "needs_missing", "1.0", needs=("missing ; python_version >= '3.14'",))
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    with serving(folder, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        yield UvSetup(find_uv(), installer_variables(environ), installer_cache(tmp_path_factory.mktemp("home")))


def locked(uv: UvSetup, requires: tuple[str, ...], platforms: tuple[str, ...] = ()) -> Lock:
    request = LockRequest("tools", "1", "3.11", requires, platforms=platforms)
    return resolve(request, cut_off=CUT_OFF, uv=uv)


@pytest.mark.parametrize("requires", [ELSEWHERE, ("needs-missing",)], ids=["required", "required by a package"])
def test_what_another_python_needs_stops_no_lock(uv: UvSetup, requires: tuple[str, ...]) -> None:
    names = {package.name for package in locked(uv, requires).packages}
    assert names == {requires[0]}


def test_what_another_platform_needs_stops_no_lock_that_is_not_for_it(uv: UvSetup) -> None:
    assert [each.name for each in locked(uv, ON_WINDOWS, ("linux-x86_64", "macos-arm64")).packages] == ["thing"]
    for platforms in ((), ("linux-x86_64", "windows-x86_64")):
        with pytest.raises((CannotResolve, CannotAsk), match=r"missing|could not be resolved"):
            locked(uv, ON_WINDOWS, platforms)


def test_what_is_asked_for_must_have_a_wheel_on_every_platform_that_is_named(uv: UvSetup) -> None:
    assert [each.name for each in locked(uv, ("only-linux",), ("linux-x86_64",)).packages] == ["only-linux"]
    with pytest.raises(CannotResolve):
        locked(uv, ("only-linux",), ("linux-x86_64", "macos-arm64"))


def test_the_lock_says_what_it_is_for(uv: UvSetup, tmp_path: Path) -> None:
    lock = locked(uv, ("thing",), ("linux-x86_64",))
    path = tmp_path / "lock.txt"
    path.write_text(lock.text(), encoding="utf-8")
    assert "# platform: linux-x86_64\n" in lock.text()
    assert read_lock(path) == lock
    assert dataclasses.replace(lock, platforms=()).digest != lock.digest
