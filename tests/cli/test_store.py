"""`envguard store`: what a user sees of it, and its exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envguard.cli.store import parse_size
from envguard.errors import BadInput
from envguard.store.fingerprint import MARKER
from envguard.store.locking import build_lock
from tests.support.built import Builder
from tests.support.command import envguard


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1024", 1024), ("2GB", 2_000_000_000), ("1.5 GiB", 3 * 2**29), ("500m", 500_000_000), ("3kB", 3000)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 EB", "1e9", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a valid size"):
        parse_size(text)


def test_an_empty_store_has_nothing_and_nothing_wrong(tmp_path: Path) -> None:
    home = tmp_path / "none"
    assert envguard("store", "list", "--json", home=home).document["environments"] == []
    assert envguard("store", "verify", "--json", home=home).document == {
        "schema": 1,
        "healthy": True,
        "environments": [],
    }
    assert envguard("store", "prune", "--json", home=home).document["removed"] == []
    assert envguard("store", "gc", "--max-size", "0", "--json", home=home).document["removed"] == []
    assert not home.exists()


def test_what_is_built_is_listed_with_its_state(tmp_path: Path) -> None:
    built = Builder().ensure(tmp_path)
    (row,) = envguard("store", "list", "--json", home=tmp_path).document["environments"]
    assert (row["name"], row["edition"], row["python"], row["ready"]) == ("tools", "1", "3.11.7", True)
    assert row["lock"] == built.identity.lock
    (built.folder / "site" / "stray").write_text("")
    listed = envguard("store", "list", home=tmp_path)
    assert listed.code == 0
    assert "tools 1 on Python 3.11.7, lock aaaaaaaaaaaa: not ready, site has changed" in listed.out


def test_damage_is_exit_code_1_and_named(tmp_path: Path) -> None:
    folder = Builder().ensure(tmp_path).folder
    assert envguard("store", "verify", "tools", home=tmp_path).code == 0
    (folder / "bin" / "python").write_text("x")
    told = envguard("store", "verify", home=tmp_path)
    assert told.code == 1
    assert "changed: bin/python" in told.out
    document = envguard("store", "verify", folder.name, "--json", home=tmp_path).document
    assert document["healthy"] is False
    assert [each["problem"] for each in document["environments"][0]["findings"]] == ["changed"]


def test_what_the_catalog_does_not_know_can_only_be_pruned(tmp_path: Path) -> None:
    folder = Builder().ensure(tmp_path).folder
    (folder / MARKER).write_text("{")
    told = envguard("store", "verify", "tools", "--repair", home=tmp_path)
    assert told.code == 1
    assert "can only be pruned" in told.out
    pruned = envguard("store", "prune", home=tmp_path)
    assert f"removed {folder}" in pruned.out
    assert "its marker is damaged" in pruned.out
    assert not folder.exists()


def test_what_is_being_built_is_not_damaged(tmp_path: Path) -> None:
    folder = Builder().ensure(tmp_path).folder
    (folder / MARKER).unlink()
    with build_lock(folder.with_name(folder.name + ".lock"), waiting=print):
        told = envguard("store", "verify", "--repair", home=tmp_path)
    assert (told.code, told.err) == (0, f"{folder.name}: is being built\n")
    assert envguard("store", "verify", home=tmp_path).code == 1


def test_a_name_that_is_not_built_is_wrong_usage(tmp_path: Path) -> None:
    told = envguard("store", "verify", "nothing", home=tmp_path)
    assert told.code == 2
    assert "No environment is built yet" in told.err


@pytest.mark.network
@pytest.mark.slow
def test_a_damaged_environment_is_repaired_byte_for_byte(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert envguard("create", "samples", home=home).code == 0
    (row,) = envguard("store", "list", "--json", home=home).document["environments"]
    for metadata in Path(row["folder"]).rglob("METADATA"):
        metadata.write_text("")
    (Path(row["folder"]) / "lock.txt").unlink()
    assert envguard("store", "verify", "samples", home=home).code == 1
    repaired = envguard("store", "verify", "samples", "--repair", "--json", home=home)
    assert repaired.code == 0, repaired.err
    assert repaired.document["environments"][0]["repair"]["identical"] is True
    assert envguard("store", "verify", home=home).code == 0
    assert envguard("store", "gc", "--max-size", "1MB", "--json", home=home).document["bytes_left"] < 1_000_000
    shutil.rmtree(home)
