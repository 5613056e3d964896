"""`envguard lock` writes what resolves, and `--check` tells whether it still does."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from tests.support.command import envguard
from tests.support.editions import project

EARLY = "2021-06-01T00:00:00Z"


def only_lock(folder: Path) -> Path:
    (path,) = (folder / "lockfiles").rglob("cp3*.txt")
    return path


def test_contradicting_options_are_refused(tmp_path: Path) -> None:
    ended = envguard("lock", "--check", "--upgrade", home=tmp_path)
    assert ended.code == 2
    assert "exclude each other" in ended.err


@pytest.mark.network
def test_a_lock_that_still_resolves_to_its_bytes_passes_the_check(store_home: Path) -> None:
    ended = envguard("lock", "pip", "--check", "--json", home=store_home)
    assert ended.code == 0, ended.err
    assert {each["state"] for each in ended.document["locks"]} == {"unchanged"}


@pytest.mark.network
def test_an_upgrade_tells_old_and_new_and_the_check_finds_what_was_changed(
    store_home: Path, tmp_path: Path, host: HostFacts
) -> None:
    folder = project(tmp_path, host, one="six>=1.15")
    first = envguard("lock", "--cut-off", EARLY, home=store_home, cwd=folder)
    assert first.code == 0, first.err
    path = only_lock(folder)
    early = path.read_bytes()
    assert b"six==1.16.0" in early
    assert envguard("lock", home=store_home, cwd=folder).out.strip().endswith("unchanged, 1 packages")

    upgraded = envguard("lock", "--upgrade", "--json", home=store_home, cwd=folder).document["locks"][0]
    assert upgraded["state"] == "written"
    assert upgraded["changes"] == ["~ six 1.16.0 → 1.17.0"]

    path.write_bytes(path.read_bytes().replace(b"1.17.0", b"1.17.9"))
    checked = envguard("lock", "--check", home=store_home, cwd=folder)
    assert checked.code == 1
    assert "~ six 1.17.9 → 1.17.0" in checked.out
    assert "six 1.17.9 is no longer available" in checked.out
    assert b"six==1.17.9" in path.read_bytes(), "a check writes nothing"


@pytest.mark.network
def test_what_does_not_resolve_is_named_and_the_rest_is_locked(
    store_home: Path, tmp_path: Path, host: HostFacts
) -> None:
    folder = project(tmp_path, host, gone="six==999", good="six==1.16.0")
    ended = envguard("lock", home=store_home, cwd=folder)
    assert ended.code == 3
    assert "there is no version of six==999" in ended.err
    assert only_lock(folder).parent.name == "good"
    assert envguard("lock", "--check", home=store_home, cwd=folder).code == 1


def test_an_index_that_does_not_answer_is_not_taken_for_a_conflict(tmp_path: Path, host: HostFacts) -> None:
    folder = project(tmp_path, host, one="six==1.16.0")
    ended = envguard("prove", home=tmp_path / "home", cwd=folder, UV_OFFLINE="1")
    assert ended.code == 3
    assert "could not be resolved" in ended.err
    assert not list(folder.rglob("proofs.json"))
