"""Small real environments from the package index: built from their locks, proved, or refused."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from envguard.catalog.model import Catalog, Edition, Environment
from envguard.errors import MISSING_LIBRARY, CheckFailed, NoEnvironment
from envguard.files import write_whole
from envguard.host.interpreters import HostFacts
from envguard.host.variables import installer_variables
from envguard.locks.lockfile import Lock, LockRequest, lock_path
from envguard.locks.resolver import CannotResolve, resolve
from envguard.locks.uv import UvSetup, find_uv
from envguard.planning import Candidate, minor_of
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Building, BuildProgress, PassedBy
from envguard.store.environments import BuiltEnvironment
from envguard.store.home import installer_cache
from tests.support.environments import Events

pytestmark = pytest.mark.network

CUT_OFF = "2026-11-01T00:00:00Z"


def locked(home: Path, edition: Edition, python: str) -> Lock:
    return resolve(
        LockRequest("tools", edition.name, python, edition.requirements),
        cut_off=CUT_OFF,
        uv=UvSetup(find_uv(), installer_variables(os.environ), installer_cache(home)),
    )


@pytest.fixture
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


def shop_for(tmp_path: Path, python: str, **editions: str) -> Workshop:
    """A workshop with one environment, whose check imports `six`; editions by name with their one requirement."""
    tools = Environment(
        name="tools",
        summary="tools",
        check="checks.imports",
        lockfiles=tmp_path / "lockfiles",
        check_options={"modules": ["six"]},
        editions=tuple(Edition(name, (python,), (requirement,)) for name, requirement in editions.items()),
    )
    for edition in tools.editions:
        path = lock_path(tmp_path / "lockfiles", "tools", edition.name, python)
        path.parent.mkdir(parents=True)
        write_whole(path, locked(tmp_path, edition, python).text().encode())
    return Workshop(
        home=tmp_path,
        user_home=Path.home(),
        environ=dict(os.environ),
        catalog=Catalog({"tools": tools}, {}, {}),
        receive=Events(),
    )


def test_a_candidate_that_fails_its_check_is_followed_by_the_next(tmp_path: Path, python: str) -> None:
    shop = shop_for(tmp_path, python, bad="iniconfig==2.0.0", good="six==1.16.0")
    prepared = shop.prepare("tools")
    assert prepared.candidate.edition.name == "good"
    ((what, why),) = prepared.failed
    assert what.startswith("tools bad on Python")
    assert "No module named 'six'" in why
    assert isinstance(shop.receive, Events)
    kinds = [type(event) for event in shop.receive if not isinstance(event, BuildProgress)]
    assert kinds == [Building, PassedBy, Building]
    assert not list((tmp_path / "environments").glob("tools-bad*/ready.json"))


def test_when_every_candidate_fails_each_reason_is_told(tmp_path: Path, python: str) -> None:
    with pytest.raises(NoEnvironment, match="failed its check") as caught:
        shop_for(tmp_path, python, bad="iniconfig==2.0.0").prepare("tools")
    assert "No module named 'six'" in caught.value.why


@dataclasses.dataclass
class OnSystemWithout(Workshop):
    """A workshop on a system without the libraries of any Debian package that an edition names."""

    tried: list[str] = dataclasses.field(default_factory=list)

    def build(self, candidate: Candidate) -> BuiltEnvironment:
        self.tried.append(candidate.edition.name)
        if candidate.edition.system_libraries:
            raise CheckFailed("It failed.", why="libEGL.so.1", next_step="apt-get", gate=MISSING_LIBRARY)
        return super().build(candidate)


def test_what_needs_a_library_that_was_found_missing_is_not_built_only_to_fail_alike(
    tmp_path: Path, python: str
) -> None:
    tools = shop_for(tmp_path, python, first="six==1.16.0", alike="six==1.16.0", other="six==1.16.0").catalog
    environment = tools.environments["tools"]
    editions = tuple(
        dataclasses.replace(each, system_libraries=() if each.name == "other" else ("libegl1",))
        for each in environment.editions
    )
    catalog = Catalog({"tools": dataclasses.replace(environment, editions=editions)}, {}, {})
    shop = OnSystemWithout(tmp_path, Path.home(), dict(os.environ), catalog, Events())
    assert shop.prepare("tools").candidate.edition.name == "other"
    assert shop.tried == ["first", "other"]


def test_the_proof_tells_what_was_proved_where(tmp_path: Path, python: str) -> None:
    prepared = shop_for(tmp_path, python, good="six==1.16.0").prepare("tools")
    proof = prepared.built.proof
    assert proof.lock == prepared.candidate.lock.digest
    assert proof.found == {"modules": ["six"]}
    assert proof.python.startswith(python)


def test_installed_files_are_linked_to_no_cache(tmp_path: Path, python: str) -> None:
    layout = shop_for(tmp_path, python, good="six==1.16.0").prepare("tools").built.layout
    assert (layout.site_packages / "six.py").stat().st_nlink == 1
    assert list(layout.site_packages.glob("__pycache__/six.*.pyc"))


def test_a_changed_hash_is_refused_before_anything_is_imported(tmp_path: Path, python: str) -> None:
    shop = shop_for(tmp_path, python, good="six==1.16.0")
    path = lock_path(tmp_path / "lockfiles", "tools", "good", python)
    text = path.read_text()
    digit = text.index("sha256:") + 7
    path.write_text(text[:digit] + ("0" if text[digit] != "0" else "1") + text[digit + 1 :])
    with pytest.raises(NoEnvironment, match="cannot be installed") as caught:
        shop.prepare("tools")
    assert "hash" in caught.value.why.lower()
    assert not list((tmp_path / "environments").glob("tools-*/"))


def test_the_same_cut_off_gives_the_same_lock(tmp_path: Path) -> None:
    edition = Edition("1", ("3.11",), ("typer>=0.26,<0.29",))
    first, second = (locked(tmp_path, edition, "3.11") for _ in range(2))
    assert first.text() == second.text()
    assert {package.name for package in first.packages} >= {"typer", "rich", "shellingham"}
    early = dataclasses.replace(first, cut_off="2020-01-01T00:00:00Z")
    assert early.digest != first.digest


def test_what_cannot_be_resolved_is_told_in_the_resolvers_words(tmp_path: Path) -> None:
    with pytest.raises(CannotResolve) as caught:
        locked(tmp_path, Edition("1", ("3.11",), ("six==1.16.0", "six==1.15.0")), "3.11")
    assert "six" in caught.value.why
    assert caught.value.exit_code == 3
