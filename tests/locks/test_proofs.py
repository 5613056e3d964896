"""A record of a trial counts for one lock, one Python and one platform, and is read whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envguard.errors import BrokenData
from envguard.locks.platforms import ANY_PLATFORM, Platform
from envguard.locks.proofs import Proof, proof_from_json, proof_of, read_proofs, with_proof, write_proofs

HERE = Platform("linux-x86_64", "glibc")
GOOD = Proof("a" * 64, "3.11.7", "linux-x86_64", "glibc 2.36", "2026-01-01T00:00:00Z", "checks.imports", 0.5, {"n": 1})
BAD = replace(GOOD, python="3.10.1", result="fails", reason="it fell over", found={})


def test_what_is_written_is_read_again_in_one_order(tmp_path: Path) -> None:
    first, second = tmp_path / "one" / "proofs.json", tmp_path / "two" / "proofs.json"
    write_proofs(first, [GOOD, BAD])
    write_proofs(second, [BAD, GOOD])
    assert first.read_bytes() == second.read_bytes()
    assert read_proofs(first) == (BAD, GOOD)


def test_no_file_is_no_proof(tmp_path: Path) -> None:
    assert read_proofs(tmp_path / "proofs.json") == ()


def test_a_proof_counts_for_its_own_lock_python_and_platform_only() -> None:
    found = proof_of([BAD, GOOD], digest=GOOD.lock, python="3.11", platform=HERE)
    assert found == GOOD
    assert proof_of([GOOD], digest="b" * 64, python="3.11", platform=HERE) is None
    assert proof_of([GOOD], digest=GOOD.lock, python="3.12", platform=HERE) is None
    assert proof_of([GOOD], digest=GOOD.lock, python="3.11", platform=Platform("linux-x86_64", "musl")) is None
    assert proof_of([GOOD], digest=GOOD.lock, python="3.11", platform=Platform("linux-aarch64", "glibc")) is None


def test_what_cannot_be_resolved_counts_everywhere() -> None:
    nowhere = replace(BAD, platform=ANY_PLATFORM, libc="", result="cannot be resolved", python="3.11")
    assert proof_of([nowhere], digest=nowhere.lock, python="3.11", platform=Platform("windows-x86_64", "")) == nowhere


def test_a_newer_record_takes_the_place_of_the_older_one() -> None:
    newer = replace(GOOD, python="3.11.9", libc="glibc 2.41", lock="b" * 64)
    elsewhere = replace(GOOD, platform="linux-aarch64")
    assert with_proof([GOOD, BAD], newer) == (BAD, newer)
    assert with_proof([GOOD], elsewhere) == (elsewhere, GOOD)
    nowhere = replace(BAD, platform=ANY_PLATFORM, libc="", python="3.11", result="cannot be resolved")
    assert with_proof([GOOD, elsewhere], nowhere) == (nowhere,)
    assert with_proof([nowhere], GOOD) == (GOOD,)


def test_what_ran_under_emulation_says_so_and_takes_the_place_of_no_real_machine() -> None:
    emulated = replace(GOOD, emulated="qemu 10.0.13", date="2026-02-01T00:00:00Z")

    def of_the_lock(*proofs: Proof) -> Proof | None:
        return proof_of(with_proof(proofs, emulated), digest=GOOD.lock, python="3.11", platform=HERE)

    assert of_the_lock(BAD) == emulated
    assert of_the_lock(GOOD, BAD) == GOOD
    assert with_proof([emulated, BAD], GOOD) == (BAD, GOOD)
    assert with_proof([emulated], replace(emulated, emulated="qemu 11")) == (replace(emulated, emulated="qemu 11"),)
    assert proof_from_json(emulated.as_json(), "proof") == emulated


def test_a_proof_of_a_system_other_than_linux_keeps_its_version(tmp_path: Path) -> None:
    mac = replace(GOOD, platform="macos-arm64", libc="", os_version="15.3.1")
    write_proofs(tmp_path / "proofs.json", [mac, GOOD])
    assert read_proofs(tmp_path / "proofs.json") == (GOOD, mac)
    assert proof_of([mac], digest=mac.lock, python="3.11", platform=Platform("macos-arm64", "", "15.6")) == mac
    assert proof_of([mac], digest=mac.lock, python="3.11", platform=Platform("macos-arm64", "", "14.7")) is None


def test_records_that_named_a_build_of_python_are_read_as_its_platform() -> None:
    def read(platform: str) -> str:
        return proof_from_json({**GOOD.as_json(), "platform": platform, "libc": ""}, "proof").platform

    assert [read(each) for each in ("linux-x86_64", "linux-aarch64", "any")] == ["linux-x86_64", "linux-aarch64", "any"]
    assert [read(each) for each in ("win-amd64", "win-arm64", "win32")] == [
        "windows-x86_64",
        "windows-arm64",
        "windows-x86",
    ]
    assert read("macosx-14.0-arm64") == "macos-arm64"


def record(**changes: object) -> dict[str, Any]:
    return {"schema": 1, "proofs": [{**GOOD.as_json(), **changes}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"schema": 2, "proofs": []}, "schema 1"),
        ({"schema": 1, "proofs": {}}, "not a list"),
        ({"schema": 1, "proofs": [], "more": 1}, "schema 1"),
        ({"schema": 1, "proofs": [3]}, "fields of a proof"),
        (record(extra=1), "fields of a proof"),
        (record(emulated=10), "emulated must be a text"),
        (record(result="fine"), "must be one of"),
        (record(result="fails"), "reason must be given"),
        (record(reason="but why"), "reason must be given"),
        (record(lock=7), "lock must be a text"),
        (record(seconds="long"), "seconds must be a number"),
        (record(found=[]), "found must be a table"),
        ("{", "cannot be read"),
        ("[" * 50_000, "cannot be read"),
    ],
)
def test_anything_else_is_refused_with_its_place(tmp_path: Path, document: object, said: str) -> None:
    path = tmp_path / "proofs.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(BrokenData) as caught:
        read_proofs(path)
    assert said in f"{caught.value.what} {caught.value.why}"
