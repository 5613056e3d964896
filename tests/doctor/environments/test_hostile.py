"""Folders that somebody made to stop the one who reads them: every one is examined to the end, quickly."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.offline import Offline

GIGABYTE = 1 << 30


def a_pth_of_a_gigabyte(folder: Path) -> None:
    with (folder / "large.pth").open("wb") as file:
        file.truncate(GIGABYTE)


def a_loop_of_links(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "one.pth").symlink_to("two.pth")
    (folder / "two.pth").symlink_to("one.pth")
    (folder / "round.so").symlink_to("round.so")


def pipes_where_files_should_be(folder: Path) -> None:
    (folder / "pipe-1.0.dist-info").mkdir()
    for name in ("METADATA", "RECORD", "WHEEL", "INSTALLER", "direct_url.json"):
        os.mkfifo(folder / "pipe-1.0.dist-info" / name)
    for name in ("pipe.pth", "pipe.so", "pipe.egg-link", "pipe-2.egg-info"):
        os.mkfifo(folder / name)


def a_record_that_lists_devices(folder: Path) -> None:
    record = folder / "base-1.0.dist-info" / "RECORD"
    up = "../" * 30
    record.write_text(f"{up}dev/zero,sha256=AAAA,1\n{up}dev/stdin,sha256=AAAA,1\nx\0y,sha256=AAAA,1\n")


def names_that_are_commands(folder: Path) -> None:
    (folder / "~$(touch here)").mkdir()
    (folder / "~; touch here").mkdir()
    (folder / "~\n\x1b[2J").mkdir()


def documents_nested_too_deep(folder: Path) -> None:
    info = folder / "base-1.0.dist-info"
    (info / "direct_url.json").write_text("[" * 200_000)
    (folder / "deep.pth").write_text("import sys; x = " + "(" * 200_000 + "\n")
    with (info / "METADATA").open("a") as file:
        file.write("")
    (info / "METADATA").write_text("Name: base\nVersion: 1.0\n" + "Requires-Dist: a; " + "(" * 9999 + "\n")


def a_version_that_is_none(folder: Path) -> None:
    info = folder / "base-1.0.dist-info"
    (info / "METADATA").write_text("Name: base\nVersion: \x1b[31mred\nRequires-Dist: user>=1; python_version > 'x'\n")


def native_modules_that_are_none(folder: Path) -> None:
    (folder / "empty.so").touch()
    (folder / "short.so").write_bytes(b"\x7fELF\x02\x01")
    (folder / "wild.so").write_bytes(b"\x7fELF\x02\x01" + b"\xff" * 500)


WAYS = [
    a_pth_of_a_gigabyte,
    a_loop_of_links,
    pipes_where_files_should_be,
    a_record_that_lists_devices,
    names_that_are_commands,
    documents_nested_too_deep,
    a_version_that_is_none,
    native_modules_that_are_none,
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("hostile", WAYS, ids=lambda value: value.__name__)
def test_it_is_examined_to_the_end(environment: Offline, hostile: Callable[[Path], None]) -> None:
    hostile(environment.site_packages)
    assert {each.level for each in environment.examined()} <= {"finding", "note"}


def test_the_name_of_a_folder_is_one_word_of_a_cure(environment: Offline) -> None:
    names_that_are_commands(environment.site_packages)
    (found,) = environment.findings()
    environment.cure(found)
    assert environment.findings() == []
    assert list(environment.cwd.iterdir()) == []
