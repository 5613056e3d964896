"""A lock is upgraded by one package, and what changed is told as a review reads it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envguard.catalog import load_catalog
from envguard.locks.lockfile import read_lock
from envguard.running.environments.locking import Relocking, relock
from tests.support.command import Ended, envguard
from tests.support.local_index import make_authority, make_wheel, serving

pytestmark = pytest.mark.slow

FIRST = "2026-10-01T00:00:00Z"
CATALOG = """\
schema = 1
[environments.tools]
summary = "tools"
pythons = ["3.11", "3.12"]
check = "checks.imports"
check-options = { modules = ["lead"] }
[environments.tools.editions.1]
requirements = ["lead", "other"]
"""


@dataclass(frozen=True)
class Locked:
    """A project in Git whose lock has the first versions of everything, and whose index has others since."""

    project: Path
    wheels: Path
    environ: dict[str, str]

    def lock(self, *options: str) -> Ended:
        home = self.project.parent / "home"
        return envguard("lock", *options, home=home, cwd=self.project, **self.environ)

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.project, check=True, capture_output=True)

    @property
    def versions(self) -> dict[str, str]:
        lock = read_lock(self.project / "lockfiles" / "tools" / "1" / "cp311.txt")
        return {package.name: package.version for package in lock.packages}

    def upload(self) -> None:
        """A new version of each; the new `lead` wants a new `common`, and `apart` is wanted by nothing new."""
        make_wheel(self.wheels, "lead", "2.0", needs=("common>=2", "apart"))
        for name in ("common", "apart", "other"):
            make_wheel(self.wheels, name, "2.0")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Locked]:
    wheels, project = tmp_path / "wheels", tmp_path / "project"
    wheels.mkdir()
    project.mkdir()
    make_wheel(wheels, "lead", "1.0", needs=("common", "apart"))
    for name in ("common", "apart", "other"):
        make_wheel(wheels, name, "1.0")
    (project / "envguard.toml").write_text(CATALOG, encoding="utf-8")
    authority = make_authority(tmp_path)
    with serving(wheels, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        found = Locked(project, wheels, environ)
        assert found.lock("--cut-off", FIRST).code == 0
        found.git("init", "--quiet")
        found.git("add", ".")
        found.git("commit", "--quiet", "-m", "first")
        found.upload()
        yield found


def test_only_the_named_package_moves_and_what_must(locked: Locked) -> None:
    assert locked.lock("--upgrade-package", "Other").code == 0
    assert locked.versions == {"lead": "1.0", "common": "1.0", "apart": "1.0", "other": "2.0"}
    assert locked.lock("--upgrade-package", "lead").code == 0
    assert locked.versions == {"lead": "2.0", "common": "2.0", "apart": "1.0", "other": "2.0"}
    before = (locked.project / "lockfiles" / "tools" / "1" / "cp311.txt").read_bytes()
    again = locked.lock("--upgrade-package", "lead")
    assert "unchanged" in again.out
    checked = locked.lock("--check")
    assert checked.code == 0, checked.out
    assert (locked.project / "lockfiles" / "tools" / "1" / "cp311.txt").read_bytes() == before


def test_two_upgrades_in_the_same_second_both_move_their_package(locked: Locked) -> None:
    environment = load_catalog(locked.project, locked.environ).environments["tools"]
    (edition,) = environment.editions
    moment = "2026-10-02T00:00:00Z"
    home = locked.project.parent / "home"
    for name in ("other", "lead"):
        how = Relocking({**os.environ, **locked.environ}, home, cut_off=moment, only=frozenset({name}))
        assert relock(environment, edition, "3.11", (), how).state == "written"
    assert locked.versions == {"lead": "2.0", "common": "2.0", "apart": "1.0", "other": "2.0"}


def test_a_package_that_no_lock_has_is_not_upgraded(locked: Locked) -> None:
    refused = locked.lock("--upgrade-package", "nothing")
    assert refused.code == 2
    assert "No lock has the package 'nothing'" in refused.err


def test_the_difference_since_a_commit_is_told_once_for_pythons_that_changed_alike(locked: Locked) -> None:
    assert locked.lock("--diff").out == "No package differs in 2 locks.\n"
    locked.lock("--upgrade-package", "lead")
    said = locked.lock("--diff").out
    assert said == ("tools 1, all Pythons:\n  changed      common  1.0 → 2.0\n  changed      lead    1.0 → 2.0\n")
    document = locked.lock("--diff", "--json").document
    assert (document["schema"], document["compared"]) == (1, "HEAD with now")
    assert [(each["python"], each["state"]) for each in document["locks"]] == [("3.11", "changed"), ("3.12", "changed")]
    assert document["locks"][0]["differences"][1] == {
        "kind": "changed", "what": "lead", "before": "1.0", "after": "2.0", "details": [],
    }  # fmt: skip
    locked.git("commit", "--quiet", "-am", "second")
    assert locked.lock("--diff").out == "No package differs in 2 locks.\n"
    assert locked.lock("--diff", "--against", "HEAD~1").out == said


def test_what_a_new_resolution_would_change_is_told_and_not_written(locked: Locked) -> None:
    before = locked.versions
    said = locked.lock("--diff", "--upgrade").out
    assert "all Pythons" in said
    assert "lead    1.0 → 2.0" in said
    assert "other   1.0 → 2.0" in said
    assert "lead" not in locked.lock("--diff", "--upgrade-package", "other").out
    assert locked.versions == before


def test_locks_that_came_and_went_are_told(locked: Locked) -> None:
    catalog = locked.project / "envguard.toml"
    catalog.write_text(CATALOG.replace('["3.11", "3.12"]', '["3.11", "3.13"]'), encoding="utf-8")
    (locked.project / "lockfiles" / "tools" / "1" / "cp312.txt").unlink()
    assert locked.lock().code == 0
    assert locked.lock("--diff").out == (
        "tools 1, Python 3.13: a new lock of 4 packages\n\ntools 1, Python 3.12: the lock is gone\n"
    )


@pytest.mark.parametrize("commit", ["--output=x", "nothing-of-this-name", "HEAD:envguard.toml"])
def test_what_is_no_commit_is_refused(locked: Locked, commit: str) -> None:
    refused = locked.lock("--diff", f"--against={commit}")
    assert refused.code == 2
    assert "\n  next: " in refused.err


def test_nothing_of_the_repository_is_run(locked: Locked) -> None:
    trap = locked.project / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {locked.project}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    for key in ("core.pager", "core.fsmonitor", "diff.external", "diff.trap.textconv", "filter.trap.smudge"):
        locked.git("config", key, str(trap))
    (locked.project / ".gitattributes").write_text("*.txt diff=trap filter=trap\n", encoding="utf-8")
    assert locked.lock("--diff").code == 0
    assert not (locked.project / "sprung").exists()


def test_without_a_repository_the_other_way_is_named(tmp_path: Path, locked: Locked) -> None:
    (locked.project / ".git").rename(tmp_path / "gone")
    refused = locked.lock("--diff")
    assert refused.code == 2
    assert "envguard lock --diff --upgrade" in refused.err
