"""A record of an audit counts for one lock, one Python and one platform, and is read whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.errors import BadInput, BrokenData
from envguard.locks.audited_platforms import PLATFORMS, audited_platform
from envguard.locks.audits import Audit, audit_of, read_audits, with_audit, write_audits
from envguard.locks.targets import target_of

GOOD = Audit("a" * 64, "3.11", "macos-arm64", "2026-01-01T00:00:00Z", "lief 1.0.0", 12, "good", (), ("a note",))
BAD = replace(GOOD, python="3.9", result="bad", reasons=("@rpath/libabsent.dylib is in none of the wheels",), notes=())


def test_what_is_written_is_read_again_in_one_order(tmp_path: Path) -> None:
    first, second = tmp_path / "one" / "audits.json", tmp_path / "two" / "audits.json"
    write_audits(first, [GOOD, BAD])
    write_audits(second, [BAD, GOOD])
    assert first.read_bytes() == second.read_bytes()
    assert read_audits(first) == (BAD, GOOD)
    assert read_audits(tmp_path / "none.json") == ()


def test_an_audit_counts_for_its_own_lock_python_and_platform_only() -> None:
    assert audit_of([BAD, GOOD], digest=GOOD.lock, python="3.11", platform="macos-arm64") == GOOD
    for other in ({"digest": "b" * 64}, {"python": "3.12"}, {"platform": "macos-x86_64"}):
        wanted = {"digest": GOOD.lock, "python": "3.11", "platform": "macos-arm64", **other}
        assert audit_of([GOOD], **wanted) is None


def test_a_newer_record_takes_the_place_of_the_older_one() -> None:
    newer = replace(GOOD, lock="b" * 64)
    assert with_audit([GOOD, BAD], newer) == (BAD, newer)


def test_a_good_one_counts_against_a_lock_where_the_c_library_is_older_than_its_modules_need() -> None:
    needs = replace(GOOD, platform="linux-aarch64", needs="glibc 2.34")
    assert needs.too_new_for(("glibc", "2.28")) == "its modules need glibc 2.34, and this system has 2.28"
    assert needs.too_new_for(("glibc", "2.34")) == needs.too_new_for(("glibc", "2.100")) == ""
    assert replace(GOOD, needs="macOS 15.2").too_new_for(None) == "", "macOS loads what asks for a newer one"


@pytest.mark.parametrize(
    "change",
    [{"result": "fine"}, {"reasons": ["x"]}, {"modules": "12"}, {"notes": "a note"}, {"date": "a\nb"}, {"more": 1}],
)
def test_what_was_not_written_by_an_audit_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "audits.json"
    write_audits(path, [GOOD])
    document = json.loads(path.read_text())
    document["audits"][0].update(change)
    path.write_text(json.dumps(document))
    with pytest.raises(BrokenData, match="cannot be read"):
        read_audits(path)


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_name_stands_for_a_platform_that_has_wheels(name: str) -> None:
    platform = audited_platform(name)
    assert platform.recorded
    assert platform.oldest == ()
    assert any(tag.platform == platform.tag for tag in target_of(platform.tag, "3.12").tags)
    assert platform.machine in ("x86_64", "aarch64")


def test_a_wheel_tag_asks_about_one_version_of_a_system() -> None:
    platform = audited_platform("manylinux_2_28_aarch64")
    assert (platform.system, platform.machine, platform.oldest) == ("linux", "aarch64", (2, 28))
    assert not platform.recorded
    with pytest.raises(BadInput, match="no platform 'beos'"):
        audited_platform("beos")
