"""An index that serves some packages serves these alone, nothing else serves them, and no lock says where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from envguard.catalog.model import Index as Sources
from envguard.catalog.model import NamedIndex
from envguard.catalog.shipped import builtin_catalog
from envguard.errors import EnvguardError, NoEnvironment
from envguard.host.variables import installer_variables
from envguard.locks.lockfile import Lock, LockRequest, read_lock
from envguard.locks.resolver import resolve
from envguard.locks.staleness import difference
from envguard.locks.uv import UvSetup, find_uv
from envguard.store.home import installer_cache
from envguard.trust.sources import sources_of
from tests.support.local_index import Index, make_authority, make_wheel, serving

pytestmark = pytest.mark.slow

CUT_OFF = "2026-06-01T00:00:00Z"
SECRET = "s3cr3t-p@ss"
# `ours` is served by the index `private` alone; it needs `common`, of which that index has a version too.
OURS = (("ours", "private"),)


@dataclass(frozen=True)
class Two:
    """A public index that has a newer `ours` of somebody else's, and a private one that tells no dates."""

    public: Index
    private: Index
    environ: Mapping[str, str]
    home: Path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    public, private = (tmp_path_factory.mktemp(name) for name in ("public", "private"))
    make_wheel(public, "needs_ours", "1.0", needs=("ours",))
    make_wheel(public, "common", "1.0")
    make_wheel(public, "ours", "9.0")
    make_wheel(private, "ours", "1.0", needs=("common",))
    make_wheel(private, "common", "9.0")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    with serving(public, authority) as first, serving(private, authority, f"me:{SECRET}", dated=False) as second:
        environ = {
            "UV_DEFAULT_INDEX": first.url(),
            "SSL_CERT_FILE": str(authority.certificate),
            "UV_INDEX": f"private={second.url()}",
            "UV_INDEX_PRIVATE_USERNAME": "me",
            "UV_INDEX_PRIVATE_PASSWORD": SECRET,
        }
        yield Two(first, second, environ, tmp_path_factory.mktemp("home"))


def locked(two: Two, *requires: str, indexes: tuple[tuple[str, str], ...] = OURS, dependencies: bool = True) -> Lock:
    request = LockRequest("tools", "1", "3.11", requires, dependencies=dependencies, indexes=indexes)
    uv = UvSetup(find_uv(), installer_variables(two.environ), installer_cache(two.home))
    return resolve(request, cut_off=CUT_OFF, uv=uv)


def versions(lock: Lock) -> dict[str, tuple[str, str]]:
    return {package.name: (package.version, package.index) for package in lock.packages}


@pytest.mark.parametrize("requires", ["ours", "needs-ours"])
def test_a_package_comes_from_its_index_and_what_it_needs_from_where_that_belongs(two: Two, requires: str) -> None:
    found = versions(locked(two, requires))
    assert found["ours"] == ("1.0", "private")
    assert found["common"] == ("1.0", "")


def test_it_does_so_without_dependencies_too(two: Two) -> None:
    assert versions(locked(two, "ours", dependencies=False)) == {"ours": ("1.0", "private")}


def test_an_index_of_everything_need_not_tell_dates_if_that_is_said(two: Two) -> None:
    environ = {name: value for name, value in two.environ.items() if name != "UV_INDEX"}
    environ["UV_DEFAULT_INDEX"] = two.private.url(f"me:{quote(SECRET)}")
    request = LockRequest("tools", "1", "3.11", ("ours",))
    uv = UvSetup(find_uv(), installer_variables(environ), installer_cache(two.home))
    with pytest.raises(EnvguardError, match=r"cannot be resolved|dates before"):
        resolve(request, cut_off=CUT_OFF, uv=uv)
    assert versions(resolve(replace(request, dated=False), cut_off=CUT_OFF, uv=uv))["ours"] == ("1.0", "")


def test_no_index_is_asked_for_what_another_one_serves(two: Two) -> None:
    for index in (two.public, two.private):
        index.asked.clear()
    locked(replace(two, home=two.home / "fresh"), "ours")
    assert not [path for path in two.public.asked if "ours" in path]
    assert not [path for path in two.private.asked if "common" in path]


def test_a_lock_names_the_index_and_not_where_it_is(two: Two, tmp_path: Path) -> None:
    lock = locked(two, "needs-ours")
    path = tmp_path / "lock.txt"
    path.write_text(lock.text(), encoding="utf-8")
    assert "# index: private\n# wheel: ours-1.0-py3-none-any.whl\n" in lock.text()
    assert "localhost" not in lock.text()
    assert SECRET not in lock.text()
    assert read_lock(path) == lock


def test_a_lock_is_stale_once_a_package_is_to_come_from_elsewhere(two: Two) -> None:
    lock = locked(two, "ours")
    elsewhere = LockRequest("tools", "1", "3.11", ("ours",))
    assert difference(lock, replace(elsewhere, indexes=OURS)) == ""
    assert "'private'" in difference(lock, elsewhere)


def test_an_index_without_an_address_is_one_sentence(two: Two) -> None:
    nowhere = {name: value for name, value in two.environ.items() if name != "UV_INDEX"}
    with pytest.raises(NoEnvironment, match="'private' has no address"):
        locked(replace(two, environ=nowhere), "ours")


def test_the_user_says_where_an_index_of_the_project_is() -> None:
    named = Sources(named=(NamedIndex("private", "https://project.example/simple", ("ours",)),))
    catalog = replace(builtin_catalog(), index=named)
    assert sources_of(catalog, {})["UV_INDEX"] == "private=https://project.example/simple"
    own = {"UV_INDEX": "private=https://mine.example/simple"}
    assert sources_of(catalog, own)["UV_INDEX"] == own["UV_INDEX"]


def test_no_message_shows_its_password(two: Two) -> None:
    wrong = {**two.environ, "UV_INDEX_PRIVATE_PASSWORD": "wr0ng-w0rd"}
    with pytest.raises(EnvguardError) as failure:
        locked(replace(two, environ=wrong, home=two.home / "other"), "ours")
    assert "wr0ng-w0rd" not in f"{failure.value} {failure.value.why}"
