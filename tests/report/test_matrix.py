"""The matrix says what is recorded, and "not tried" of all else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from envguard.catalog.model import Edition, Environment
from envguard.locks.audits import Audit
from envguard.locks.lockfile import Lock
from envguard.locks.platforms import ANY_PLATFORM, Platform
from envguard.locks.proofs import Proof
from envguard.planning import wanted_digest
from envguard.report.matrix import matrix_of, matrix_text

HERE = Platform("linux-x86_64", "glibc")
NOW = "2026-02-01T00:00:00Z"
NEW = Edition("2", ("3.11", "3.10", "3.9"), ("one==2",))
OLD = Edition("1", ("3.11",), ("one==1",), offered=False)
TOOLS = Environment("tools", "tools", "checks.imports", (NEW, OLD), Path("lockfiles"))
LOCKS = {
    (edition.name, python): Lock("tools", edition.name, python, "2026-01-01T00:00:00Z", edition.requirements, (), ())
    for edition, python in ((NEW, "3.11"), (NEW, "3.10"), (OLD, "3.11"))
}
GOOD = Proof(
    LOCKS["2", "3.11"].digest, "3.11.7", "linux-x86_64", "glibc 2.36", "2026-01-02T00:00:00Z", "checks.imports", 0.5
)
BAD = replace(GOOD, lock=LOCKS["1", "3.11"].digest, result="fails", reason="it fell over")
NOWHERE = replace(
    GOOD,
    lock=wanted_digest(TOOLS, NEW, "3.9"),
    python="3.9",
    platform=ANY_PLATFORM,
    libc="",
    result="cannot be resolved",
    reason="one==2 wants 3.10",
)


def states(platform: Platform, *proofs: Proof) -> dict[tuple[str, str], tuple[str, str]]:
    (found,) = matrix_of([(TOOLS, LOCKS, {"2": proofs, "1": (BAD,)})], platform, NOW).environments
    return {(cell.edition.name, cell.python): (cell.state, cell.reason) for cell in found.cells}


def test_each_cell_is_what_is_recorded_of_its_lock_here() -> None:
    assert states(HERE, GOOD, NOWHERE) == {
        ("2", "3.9"): ("known-bad", "cannot be resolved: one==2 wants 3.10"),
        ("2", "3.10"): ("unknown", "no trial is recorded"),
        ("2", "3.11"): ("known-good", ""),
        ("1", "3.11"): ("known-bad", "fails: it fell over"),
    }


def test_another_platform_or_another_lock_proves_nothing() -> None:
    elsewhere = states(Platform("linux-aarch64", "glibc"), GOOD, NOWHERE)
    assert elsewhere["2", "3.11"] == ("unknown", "the recorded trials are of another lock or platform")
    assert elsewhere["2", "3.9"][0] == "known-bad", "no lock can be made for any platform"
    assert states(HERE, replace(GOOD, lock="f" * 64))["2", "3.11"][0] == "unknown"


def test_what_was_proved_under_emulation_is_called_that() -> None:
    emulated = replace(GOOD, emulated="qemu 10.0.13")
    assert states(HERE, emulated)["2", "3.11"] == ("emulated", "proved under emulation by qemu 10.0.13")
    lines = matrix_text(matrix_of([(TOOLS, LOCKS, {"2": (emulated,), "1": ()})], HERE, NOW)).splitlines()
    assert lines[3].split() == ["2", "not", "tried", "not", "tried", "emulated"]
    assert "  2 on 3.11: proved under emulation by qemu 10.0.13" in lines


def test_json_says_who_proved_what_and_when() -> None:
    document = json.loads(json.dumps(matrix_of([(TOOLS, LOCKS, {"2": (GOOD,)})], HERE, NOW).as_json()))
    cell = next(each for each in document["environments"][0]["cells"] if each["state"] == "known-good")
    assert cell["proof"]["file"] == "lockfiles/tools/2/proofs.json"
    assert cell["proof"]["date"] == "2026-01-02T00:00:00Z"
    assert (cell["proof"]["platform"], cell["proof"]["libc"]) == ("linux-x86_64", "glibc 2.36")
    assert (cell["proof"]["check"], cell["lock"]) == ("checks.imports", GOOD.lock)


def test_the_table_has_a_word_for_each_cell_and_every_reason_below() -> None:
    lines = matrix_text(matrix_of([(TOOLS, LOCKS, {"2": (GOOD, NOWHERE), "1": (BAD,)})], HERE, NOW)).splitlines()
    assert lines[0] == "on linux-x86_64 with glibc"
    assert [line.split() for line in lines[2:5]] == [
        ["tools", "3.9", "3.10", "3.11"],
        ["2", "fails", "not", "tried", "works"],
        ["1", "–", "–", "fails"],
    ]
    assert "  1 on 3.11: fails: it fell over" in lines


def test_what_was_tried_more_than_90_days_ago_is_shown_as_old_and_still_works() -> None:
    recorded = [(TOOLS, LOCKS, {"2": (GOOD, NOWHERE), "1": (BAD,)})]
    assert not any(cell.old for cell in matrix_of(recorded, HERE, "2026-04-02T00:00:00Z").environments[0].cells)
    later = matrix_of(recorded, HERE, "2026-04-02T00:00:01Z")
    cell = later.environments[0].cell("2", "3.11")
    assert cell is not None
    assert (cell.state, cell.reason, cell.old) == ("known-good", "", True)
    assert cell.as_json("tools")["old"] is True
    text = matrix_text(later)
    assert ["2", "fails,", "old", "not", "tried", "works,", "old"] in [line.split() for line in text.splitlines()]
    assert "  2 on 3.9, 3.11: tried on 2026-01-02, more than 90 days ago" in text
    assert "  1 on 3.11: fails: it fell over" in text
    assert "`envguard prove tools --all-editions --all-pythons` tries again what is old" in text


def test_what_was_audited_has_a_word_of_its_own_and_never_hides_a_trial() -> None:
    good = Audit(LOCKS["2", "3.11"].digest, "3.11", "linux-x86_64", NOW, "lief 1.0.0", 3, "good")
    bad = replace(
        good,
        lock=LOCKS["2", "3.10"].digest,
        python="3.10",
        result="bad",
        reasons=("libabsent.so is in none",),
    )
    audits = (good, bad)
    known = matrix_of([(TOOLS, LOCKS, {})], HERE, NOW, {"tools": {"2": audits}})
    cells = {(each.edition.name, each.python): each for each in known.environments[0].cells}
    assert [cells["2", minor].state for minor in ("3.9", "3.10", "3.11")] == ["unknown", "audited-bad", "audited"]
    assert cells["2", "3.10"].reason == "audited, not tried: libabsent.so is in none"
    lines = matrix_text(known).splitlines()
    assert lines[3].split() == ["2", "not", "tried", "audited,", "bad", "audited"]
    proved = matrix_of([(TOOLS, LOCKS, {"2": (GOOD,)})], HERE, NOW, {"tools": {"2": audits}})
    assert matrix_text(proved).splitlines()[3].split() == ["2", "not", "tried", "audited,", "bad", "works"]
    elsewhere = matrix_of([(TOOLS, LOCKS, {})], Platform("linux-aarch64", "glibc"), NOW, {"tools": {"2": audits}})
    assert {each.state for each in elsewhere.environments[0].cells} == {"unknown"}
