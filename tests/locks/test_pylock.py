"""A lock as pylock.toml is valid, holds the same wheels, and no credentials."""

from __future__ import annotations

from dataclasses import replace

from packaging.pylock import Pylock

from envguard.catalog import shipped_lockfiles
from envguard.locks.lockfile import lock_path, read_lock
from envguard.locks.pylock import Address, _without_credentials, pylock_text
from envguard.toml import parse_toml

LOCK = read_lock(lock_path(shipped_lockfiles(), "verify", "0.10.21", "3.11"))


def test_every_wheel_and_marker_of_the_lock_is_in_it() -> None:
    where = {
        wheel.sha256: Address(f"https://index.example/{wheel.filename}", 7 if place else None)
        for package in LOCK.packages
        for place, wheel in enumerate(package.wheels)
    }
    document = Pylock.from_dict(parse_toml(pylock_text(LOCK, where, {})))
    assert str(document.requires_python) == "==3.11.*"
    assert [(each.name, str(each.version)) for each in document.packages] == [
        (package.name, package.version) for package in LOCK.packages
    ]
    for ours, theirs in zip(LOCK.packages, document.packages, strict=True):
        assert [wheel.hashes["sha256"] for wheel in theirs.wheels or ()] == [wheel.sha256 for wheel in ours.wheels]
        assert bool(theirs.marker) == bool(ours.marker)


def test_credentials_are_left_out_of_addresses() -> None:
    assert _without_credentials("https://me:secret@index.example:8443/one.whl?x=1") == (
        "https://index.example:8443/one.whl?x=1"
    )


def test_a_lock_without_packages_is_one_too() -> None:
    assert Pylock.from_dict(parse_toml(pylock_text(replace(LOCK, packages=()), {}, {}))).packages == []
