"""Wheels are chosen for any platform as an installer there would choose them."""

from __future__ import annotations

import sys

import pytest
from packaging import tags

from envguard.catalog import shipped_lockfiles
from envguard.errors import BadInput
from envguard.locks.lockfile import LockedPackage, LockedWheel, lock_path, read_lock
from envguard.locks.targets import target_of
from envguard.locks.wheels import best_wheels, missing_wheels

QUANTIZE = read_lock(lock_path(shipped_lockfiles(), "quantize", "0.10", "3.11"))


@pytest.mark.parametrize(
    ("platform", "wheel"),
    [
        ("manylinux_2_28_x86_64", "ai_edge_litert-2.3.0-cp311-cp311-manylinux_2_27_x86_64.whl"),
        ("manylinux_2_36_aarch64", "ai_edge_litert-2.3.0-cp311-cp311-manylinux_2_27_aarch64.whl"),
        ("macosx_14_0_arm64", "ai_edge_litert-2.3.0-cp311-cp311-macosx_12_0_arm64.whl"),
        ("win_amd64", "ai_edge_litert-2.3.0-cp311-cp311-win_amd64.whl"),
    ],
)
def test_each_platform_gets_its_own_wheel(platform: str, wheel: str) -> None:
    target = target_of(platform, "3.11")
    chosen = {each.package.name: each.wheel.filename for each in best_wheels(QUANTIZE, target.tags, target.markers)}
    assert chosen["ai-edge-litert"] == wheel
    assert ("colorama" in chosen) == platform.startswith("win")
    assert not missing_wheels(QUANTIZE, frozenset(target.tags), target.markers)


def test_a_platform_that_is_too_old_lacks_a_wheel() -> None:
    target = target_of("manylinux_2_17_x86_64", "3.11")
    missing = missing_wheels(QUANTIZE, frozenset(target.tags), target.markers)
    assert "ai-edge-litert" in {each.name for each in missing}


def test_the_best_of_several_wheels_is_taken() -> None:
    names = (
        "one-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "one-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "one-1.0-py3-none-any.whl",
    )
    wheels = tuple(LockedWheel(name, "a" * 64) for name in names)
    lock = type(QUANTIZE)("t", "1", "3.11", "", (), (), (LockedPackage("one", "1.0", "", wheels),))
    for platform, place in (("manylinux_2_36_x86_64", 1), ("manylinux_2_17_x86_64", 0), ("win_amd64", 2)):
        target = target_of(platform, "3.11")
        assert best_wheels(lock, target.tags, target.markers)[0].wheel == wheels[place]


@pytest.mark.skipif(sys.platform != "linux", reason="compares with this Linux's own tags")
def test_this_platforms_tags_are_those_that_packaging_finds() -> None:
    own = [tag for tag in tags.sys_tags() if "linux" in tag.platform or tag.platform == "any"]
    newest = next(tag.platform for tag in own if "manylinux_" in tag.platform or "musllinux_" in tag.platform)
    target = target_of(newest, f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert list(target.tags) == own
    assert target.markers["platform_machine"] in newest


@pytest.mark.parametrize("tag", ["amiga", "linux_x86_64", "any", "", "win32", "macosx_14_0_universal2"])
def test_a_tag_that_names_no_platform_of_ours_is_refused(tag: str) -> None:
    with pytest.raises(BadInput, match="not a known wheel platform tag"):
        target_of(tag, "3.11")
