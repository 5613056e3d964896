"""What a new resolution changed is told package by package."""

from __future__ import annotations

from dataclasses import replace

from envguard.locks.differences import differences
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel


def package(name: str, version: str, marker: str = "", sha256: str = "a" * 64) -> LockedPackage:
    return LockedPackage(name, version, marker, (LockedWheel(f"{name}-{version}-py3-none-any.whl", sha256),))


ONE, TWO = package("one", "1.0"), package("two", "2.0")
OLD = Lock("tools", "1", "3.11", "2026-01-01T00:00:00Z", ("one",), (), (ONE, TWO))


def test_a_later_cut_off_alone_is_no_difference() -> None:
    assert differences(OLD, replace(OLD, cut_off="2026-02-01T00:00:00Z")) == ()


def test_each_package_that_differs_is_named() -> None:
    new = replace(OLD, packages=(package("one", "1.1"), package("three", "3.0")))
    assert differences(OLD, new) == ("~ one 1.0 → 1.1", "+ three 3.0", "- two 2.0")


def test_other_files_of_the_same_version_are_told() -> None:
    new = replace(OLD, packages=(package("one", "1.0", sha256="b" * 64), package("two", "2.0", "os_name == 'nt'")))
    one, two = differences(OLD, new)
    assert one == "~ one 1.0: another file as one-1.0-py3-none-any.whl"
    assert two == "~ two 2.0: needed where os_name == 'nt'"


def test_what_the_catalog_asks_for_is_part_of_a_lock() -> None:
    changes = differences(OLD, replace(OLD, requires=("one>=1",), overrides=("two",)))
    assert changes == ("- requires: one", "+ requires: one>=1", "+ override: two")
