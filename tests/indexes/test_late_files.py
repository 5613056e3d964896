"""A lock holds although its index offers more of the past than it did: `lock --check` names what came late."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import Ended, envguard
from tests.support.local_index import make_authority, make_wheel, serving
from tests.support.projects import write_project

CUT_OFF = "2026-11-20T00:00:00Z"  # everything in the local index is dated before


class Indexed:
    """A project that was locked with an index to which wheels can be added."""

    def __init__(self, project: Path, wheels: Path, environ: dict[str, str]) -> None:
        self.project, self.wheels, self.environ = project, wheels, environ
        self.times = 0

    def lock(self, *options: str) -> Ended:
        """`envguard lock`, each time with an empty cache."""
        self.times += 1
        home = self.project.parent / f"home-{self.times}"
        return envguard("lock", "one", *options, home=home, cwd=self.project, **self.environ)

    @property
    def text(self) -> str:
        (path,) = (self.project / "lockfiles" / "one").rglob("cp3*.txt")
        return path.read_text()


@pytest.fixture
def indexed(tmp_path: Path, host: HostFacts) -> Iterator[Indexed]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "private_thing", "1.0")
    authority = make_authority(tmp_path)
    project = write_project(tmp_path / "project", minor_of(host.usable[0]), "", {})
    file = project / "envguard.toml"
    file.write_text(file.read_text().replace("requirements = []", 'requirements = ["private-thing>=1,<2"]', 1))
    with serving(wheels, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        found = Indexed(project, wheels, environ)
        made = found.lock("--cut-off", CUT_OFF)
        assert "written, 1 packages" in made.out, made
        yield found


def test_a_late_file_of_a_locked_release_is_named_and_changes_nothing(indexed: Indexed) -> None:
    before = indexed.text
    late = "private_thing-1.0-1-py3-none-any.whl"
    shutil.copy(indexed.wheels / "private_thing-1.0-py3-none-any.whl", indexed.wheels / late)
    checked = indexed.lock("--check")
    assert checked.code == 0, checked
    assert f"{late} was not there when the lock was made, although the index dates it before" in checked.out
    assert indexed.lock("--check", "--json").document["locks"][0]["late"] != []
    assert "unchanged" in indexed.lock().out
    assert indexed.text == before
    assert "written" in indexed.lock("--upgrade").out
    assert f"# wheel: {late}" in indexed.text


def test_a_late_release_is_named_and_changes_nothing(indexed: Indexed) -> None:
    before = indexed.text
    make_wheel(indexed.wheels, "private_thing", "1.1")
    checked = indexed.lock("--check")
    assert checked.code == 0, checked
    assert "private-thing 1.1 (private_thing-1.1-py3-none-any.whl) was not there, or not chosen" in checked.out
    assert "unchanged" in indexed.lock().out
    assert indexed.text == before


def test_a_file_that_was_replaced_is_a_difference(indexed: Indexed) -> None:
    make_wheel(indexed.wheels, "private_thing", "1.1")
    wheel = indexed.wheels / "private_thing-1.0-py3-none-any.whl"
    make_wheel(indexed.wheels, "private_thing", "1.0").rename(wheel)
    with wheel.open("ab") as file:
        file.write(b"more")
    checked = indexed.lock("--check")
    assert checked.code == 1, checked
    assert "~ private-thing 1.0" in checked.out


def test_a_file_that_is_gone_is_a_difference(indexed: Indexed) -> None:
    make_wheel(indexed.wheels, "private_thing", "1.1")
    (indexed.wheels / "private_thing-1.0-py3-none-any.whl").unlink()
    checked = indexed.lock("--check")
    assert checked.code == 1, checked
    assert "private-thing 1.0 is no longer available" in checked.out


def test_a_late_release_counts_where_the_catalog_has_changed(indexed: Indexed) -> None:
    make_wheel(indexed.wheels, "private_thing", "1.1")
    file = indexed.project / "envguard.toml"
    file.write_text(file.read_text().replace("private-thing>=1,<2", "private-thing>=1.0,<2"))
    assert indexed.lock("--check").code == 1
    assert "~ private-thing 1.0 → 1.1" in indexed.lock().out
