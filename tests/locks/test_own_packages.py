"""What a lock says of packages of the project's own is read back, and compared with what they say today."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.locks.lockfile import Lock, lock_of
from envguard.locks.sdists.built import BuildTool
from envguard.locks.sdists.own import LockedOwn, own_difference, read_own
from envguard.requirement import OwnPackage

OWN = LockedOwn(
    "core",
    "mine",
    ("six>=1 ; python_version < '3.12'",),
    ("hatchling>=1",),
    (BuildTool("hatchling-1.27.0-py3-none-any.whl", "0" * 64, "sys_platform == 'linux'"),),
    editable=False,
)
SAYS = OwnPackage("core", "mine", OWN.requires, OWN.build_requires)


def test_a_lock_with_own_packages_is_read_as_it_was_written() -> None:
    lock = Lock("dev", "1", "3.11", "2026-11-20T00:00:00Z", (), (), (), own=(OWN, replace(OWN, path="other")))
    assert lock_of(lock.text().encode(), Path("cp311.txt")) == lock


@pytest.mark.parametrize(
    "line", ["", "core", "core is", "core needs six", "core requires -r x", "core built-with x.whl"]
)
def test_what_says_nothing_of_a_package_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_own([line])


@pytest.mark.parametrize(
    ("today", "said"),
    [
        ((), "the catalog installs the project's own packages none, the lock 'core'"),
        ((replace(SAYS, requires=("six>=2",)),), "requires 'six>=2', which the lock lacks"),
        ((replace(SAYS, requires=()),), "any more"),
        ((replace(SAYS, build_requires=("flit-core",)),), "is built with 'flit-core'"),
        ((replace(SAYS, name="yours"),), "is yours, and was mine"),
        ((SAYS,), ""),
        ((replace(SAYS, requires=None, name=""),), ""),
    ],
)
def test_a_difference_is_told(today: tuple[OwnPackage, ...], said: str) -> None:
    told = own_difference((OWN,), today)
    assert said in told
    assert bool(told) == bool(said)
