"""A plan takes the preferred edition on the preferred Python, and says why it passed over the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.catalog.model import Edition, Environment
from envguard.errors import BadInput, NoEnvironment
from envguard.host.interpreters import BrokenInterpreter, HostFacts, Interpreter, Version
from envguard.locks.audits import Audit, AuditResult
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel
from envguard.locks.proofs import Proof
from envguard.locks.staleness import StaleLock
from envguard.planning import NOTHING_PROVED, LockKey, Plan, Pythons, Wanted, make_plan, platform_of, wanted_digest

TOOLS = Environment(
    name="tools",
    summary="tools",
    check="checks.imports",
    lockfiles=Path("lockfiles"),
    editions=(Edition("2", ("3.11", "3.10"), ("one",)), Edition("1", ("3.9",), ("one",))),
)


def lock(edition: str, python: str, wheel: str = "one-1.0-py3-none-any.whl") -> Lock:
    package = LockedPackage("one", "1.0", "", (LockedWheel(wheel, "a" * 64),))
    return Lock("tools", edition, python, "2026-01-01T00:00:00Z", ("one",), (), (package,))


LOCKS = {(edition, python): lock(edition, python) for edition, python in (("2", "3.11"), ("2", "3.10"), ("1", "3.9"))}


def python(host: HostFacts, version: str, **changes: object) -> Interpreter:
    """A real interpreter's answers, under another version and path."""
    major, minor, micro = map(int, version.split("."))
    real = host.usable[0]
    facts = replace(real.facts, version=Version(major, minor, micro, "final", 0), full_version=version)
    path = Path(f"/pythons/{version}/bin/python")
    return replace(real, path=path, real_path=path, facts=facts, **changes)  # type: ignore[arg-type]


def host_of(*interpreters: Interpreter) -> HostFacts:
    return HostFacts(interpreters=interpreters, broken=())


def plan_of(
    environment: Environment,
    host: HostFacts,
    locks: Mapping[LockKey, Lock],
    *,
    proofs: Mapping[str, Sequence[Proof]] = NOTHING_PROVED,
    edition: str | None = None,
    python: str | None = None,
) -> Plan:
    return make_plan(Wanted(environment, edition, python), Pythons("venv", host), locks, proofs)


def test_the_order_of_the_catalog_decides_not_the_newest_python(host: HostFacts) -> None:
    plan = plan_of(TOOLS, host_of(python(host, "3.10.1"), python(host, "3.9.1"), python(host, "3.11.1")), LOCKS)
    chosen = [(each.edition.name, each.lock.python) for each in plan.candidates]
    assert chosen == [("2", "3.11"), ("2", "3.10"), ("1", "3.9")]


def test_the_newest_patch_release_of_a_minor_is_taken(host: HostFacts) -> None:
    old, new = python(host, "3.11.9"), python(host, "3.11.10")
    for order in ((old, new), (new, old)):
        plan = plan_of(TOOLS, host_of(*order), LOCKS)
        assert plan.chosen.interpreter == new
        assert any("3.11.9" in each.what and "preferred" in each.why for each in plan.passed_over)


def test_everything_that_lost_has_a_reason(host: HostFacts) -> None:
    broken = BrokenInterpreter(Path("/x/python3.10"), ("PATH",), "shim", "Its pyenv shim exits 127.")
    pythons = (python(host, "3.11.1"), python(host, "3.14.0"), python(host, "3.10.1", reasons=("32-bit.",)))
    plan = plan_of(TOOLS, HostFacts(pythons, (broken,)), LOCKS)
    why = {each.what: each.why for each in plan.passed_over}
    assert why["tools 2 on Python 3.10"] == "/pythons/3.10.1/bin/python: 32-bit."
    assert why["tools 1 on Python 3.9"] == "this host has no Python 3.9"
    assert why["Python 3.14.0 (/pythons/3.14.0/bin/python)"] == "no edition of tools is for Python 3.14"
    assert why["/x/python3.10"] == "Its pyenv shim exits 127."


def test_no_wheel_for_this_platform_is_one_sentence(host: HostFacts) -> None:
    locks = {("2", "3.11"): lock("2", "3.11", "one-1.0-cp311-cp311-win_arm64.whl")}
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, host_of(python(host, "3.11.1")), locks)
    assert "one 1.0 has no wheel for this platform, only for win_arm64" in caught.value.why
    assert caught.value.exit_code == 3


def test_a_package_that_this_platform_does_not_need_is_not_missed(host: HostFacts) -> None:
    wheel = LockedWheel("two-1.0-cp311-cp311-win_arm64.whl", "b" * 64)
    whole = LOCKS["2", "3.11"]
    elsewhere = LockedPackage("two", "1.0", "sys_platform == 'nowhere'", (wheel,))
    plan = plan_of(
        TOOLS, host_of(python(host, "3.11.1")), {("2", "3.11"): replace(whole, packages=(*whole.packages, elsewhere))}
    )
    assert plan.chosen.lock.python == "3.11"


def test_an_edition_can_be_asked_for(host: HostFacts) -> None:
    pythons = host_of(python(host, "3.11.1"), python(host, "3.9.1"))
    assert plan_of(TOOLS, pythons, LOCKS, edition="1").chosen.lock.python == "3.9"
    with pytest.raises(BadInput, match="no edition '7'"):
        plan_of(TOOLS, pythons, LOCKS, edition="7")


def test_no_plan_names_every_reason(host: HostFacts) -> None:
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, host_of(python(host, "3.13.1")), {})
    for minor in ("3.11", "3.10", "3.9"):
        assert f"on Python {minor}: it has no lock" in caught.value.why
    assert caught.value.next_step == "Make its lock with `envguard lock tools`."


def advice(host: HostFacts, locks: Mapping[LockKey, Lock], **more: str) -> str:
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, host, locks, **more)  # type: ignore[arg-type]
    return caught.value.next_step


def test_only_pythons_that_are_not_there_are_to_be_installed(host: HostFacts) -> None:
    there = python(host, "3.11.1", reasons=("Built without zlib: install it.",))
    assert advice(host_of(python(host, "3.13.1")), LOCKS).startswith("Install one of Python 3.11, 3.10, 3.9 and")
    assert advice(host_of(there), LOCKS).startswith("Install one of Python 3.10, 3.9 and")
    assert advice(host_of(there), {("2", "3.11"): LOCKS["2", "3.11"]}).startswith("Mend the Python")
    broken = BrokenInterpreter(Path("/x/python3.11"), ("PATH",), "missing library", "libz.so.1 is missing.")
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, HostFacts((python(host, "3.13.1"),), (broken,)), {("2", "3.11"): LOCKS["2", "3.11"]})
    assert "/x/python3.11: libz.so.1 is missing." in caught.value.why
    assert caught.value.next_step.startswith("Mend the Python")


def test_a_python_that_no_edition_is_for_is_no_reason_to_install_another(host: HostFacts) -> None:
    assert "--python" in advice(host_of(python(host, "3.13.1")), LOCKS, python="3.13")


def on(host: HostFacts, version: str, **facts: object) -> Interpreter:
    """An interpreter as the probe would find it on another system."""
    found = python(host, version)
    return replace(found, facts=replace(found.facts, **facts))  # type: ignore[arg-type]


NATIVE = {
    ("2", "3.11"): replace(
        LOCKS["2", "3.11"],
        packages=(
            LockedPackage(
                "one",
                "1.0",
                "",
                tuple(
                    LockedWheel(f"one-1.0-cp311-cp311-{each}.whl", "a" * 64)
                    for each in ("manylinux_2_27_x86_64", "manylinux_2_27_aarch64", "macosx_12_0_arm64", "win_amd64")
                ),
            ),
        ),
    )
}
ALPINE = {"libc": ("musl", ""), "platform": "linux-x86_64", "soabi": "cpython-311-x86_64-linux-musl"}
OLD_MAC = {
    "platform": "macosx-10.9-x86_64", "sys_platform": "darwin", "platform_system": "Darwin", "libc": None,
    "architecture": "x86_64",
}  # fmt: skip
WINDOWS_ON_ARM = {
    "platform": "win-arm64", "sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "libc": None,
    "architecture": "ARM64",
}  # fmt: skip


@pytest.mark.parametrize("version", ["3.11.1", "3.12.1"])
@pytest.mark.parametrize("system", [ALPINE, OLD_MAC, WINDOWS_ON_ARM], ids=["musl", "macOS x86-64", "Windows arm64"])
def test_where_no_python_can_help_a_container_is_named(
    host: HostFacts, monkeypatch: pytest.MonkeyPatch, system: Mapping[str, object], version: str
) -> None:
    monkeypatch.setattr("platform.mac_ver", lambda: ("13.6", ("", "", ""), "x86_64"))
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, host_of(on(host, version, **system)), NATIVE)
    assert "tools 2 on Python 3.11: one 1.0 has no wheel for this platform" in caught.value.why
    assert "--backend container" in caught.value.next_step
    assert "Install" not in caught.value.next_step


def test_no_container_is_named_for_a_machine_that_linux_has_no_wheels_for(host: HostFacts) -> None:
    riscv = on(host, "3.11.1", platform="linux-riscv64", architecture="riscv64")
    assert "container" not in advice(host_of(riscv), NATIVE)


def proof(host: HostFacts, edition: str, python: str, **changes: object) -> Proof:
    """A record that the lock of an edition works on this host's platform."""
    facts = host.usable[0].facts
    libc = " ".join(facts.libc or ())
    digest = LOCKS[edition, python].digest
    good = Proof(digest, f"{python}.1", facts.platform, libc, "2026-01-01T00:00:00Z", "checks.imports", 0.1)
    return replace(good, **changes)  # type: ignore[arg-type]


def test_what_is_known_to_be_bad_here_is_passed_over_with_its_reason(host: HostFacts) -> None:
    pythons = host_of(python(host, "3.11.1"), python(host, "3.10.1"))
    bad = proof(host, "2", "3.11", result="fails", reason="it fell over")
    plan = plan_of(TOOLS, pythons, LOCKS, proofs={"2": (bad,)})
    assert plan.chosen.lock.python == "3.10"
    why = {each.what: each.why for each in plan.passed_over}
    assert why["tools 2 on Python 3.11"] == "known-bad here: it fails (it fell over)"


def test_another_build_of_python_for_this_machine_is_no_other_platform(host: HostFacts) -> None:
    elder = python(host, "3.11.1")
    mac = replace(elder.facts, sys_platform="darwin", architecture="arm64", libc=None)
    builds = ("macosx-11.0-arm64", "macosx-14.0-universal2")
    places = {platform_of(replace(elder, facts=replace(mac, platform=each))) for each in builds}
    assert {each.name for each in places} == {"macos-arm64"}
    assert len(places) == 1


def test_a_failure_elsewhere_or_of_another_lock_is_none_here(host: HostFacts) -> None:
    bad = proof(host, "2", "3.11", result="fails", reason="it fell over")
    for other in (replace(bad, platform="plan9-mips"), replace(bad, lock="f" * 64), replace(bad, python="3.9.1")):
        plan = plan_of(TOOLS, host_of(python(host, "3.11.1")), LOCKS, proofs={"2": (other,)})
        assert plan.chosen.lock.python == "3.11"


def test_asking_for_what_is_known_to_be_bad_gets_the_recorded_reason(host: HostFacts) -> None:
    bad = proof(host, "1", "3.9", result="cannot be installed", reason="its wheel was deleted")
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, host_of(python(host, "3.9.1")), LOCKS, proofs={"1": (bad,)}, edition="1")
    assert "it cannot be installed (its wheel was deleted)" in caught.value.why


def test_why_there_is_no_lock_is_told_where_it_was_recorded(host: HostFacts) -> None:
    digest = wanted_digest(TOOLS, TOOLS.editions[0], "3.11")
    bad = proof(host, "2", "3.11", lock=digest, result="cannot be resolved", reason="one is gone", platform="any")
    with pytest.raises(NoEnvironment) as caught:
        plan_of(TOOLS, host_of(python(host, "3.11.1")), {}, proofs={"2": (bad,)}, edition="2")
    assert "tools 2 on Python 3.11: it has no lock: it cannot be resolved (one is gone)" in caught.value.why


def test_if_the_first_choice_fails_its_check_the_known_good_come_next(host: HostFacts) -> None:
    pythons = host_of(*(python(host, version) for version in ("3.11.1", "3.10.1", "3.9.1")))
    plan = plan_of(TOOLS, pythons, LOCKS, proofs={"1": (proof(host, "1", "3.9"),)})
    assert [each.lock.python for each in plan.candidates] == ["3.11", "3.9", "3.10"]


def test_an_edition_that_is_not_offered_is_taken_only_by_name(host: HostFacts) -> None:
    hidden = replace(TOOLS, editions=(replace(TOOLS.editions[0], offered=False), TOOLS.editions[1]))
    pythons = host_of(python(host, "3.11.1"), python(host, "3.9.1"))
    assert plan_of(hidden, pythons, LOCKS).chosen.edition.name == "1"
    assert plan_of(hidden, pythons, LOCKS, edition="2").chosen.lock.python == "3.11"


def test_a_python_can_be_asked_for(host: HostFacts) -> None:
    pythons = host_of(python(host, "3.11.1"), python(host, "3.10.1"))
    assert plan_of(TOOLS, pythons, LOCKS, python="3.10").chosen.lock.python == "3.10"


def asking_for_more(environment: Environment, *editions: str) -> Environment:
    """The environment after a change of its catalog: these editions require what they were not locked for."""
    changed = [replace(each, requirements=("two",)) if each.name in editions else each for each in environment.editions]
    return replace(environment, editions=tuple(changed))


def test_a_stale_lock_is_not_stepped_over_for_a_lesser_one(host: HostFacts) -> None:
    with pytest.raises(StaleLock, match=r"tools 2 for Python 3\.11 is stale: the catalog has the requirement 'two'"):
        plan_of(asking_for_more(TOOLS, "2"), host_of(python(host, "3.11.1"), python(host, "3.9.1")), LOCKS)


def test_a_stale_lock_that_is_not_wanted_here_stops_nothing(host: HostFacts) -> None:
    plan = plan_of(asking_for_more(TOOLS, "2"), host_of(python(host, "3.9.1")), LOCKS)
    assert [each.edition.name for each in plan.candidates] == ["1"]
    plan = plan_of(asking_for_more(TOOLS, "1"), host_of(python(host, "3.11.1"), python(host, "3.9.1")), LOCKS)
    assert [each.edition.name for each in plan.candidates] == ["2"]
    assert any(each.why.startswith("stale: the catalog has") for each in plan.passed_over)


def test_a_frozen_plan_takes_locks_as_they_are_and_says_so(host: HostFacts) -> None:
    wanted = Wanted(asking_for_more(TOOLS, "2"), frozen=True)
    plan = make_plan(wanted, Pythons("venv", host_of(python(host, "3.11.1"))), LOCKS)
    assert plan.chosen.stale == "the catalog has the requirement 'two', the lock 'one'"
    assert (
        make_plan(Wanted(TOOLS, frozen=True), Pythons("venv", host_of(python(host, "3.11.1"))), LOCKS).chosen.stale
        == ""
    )


def audit(host: HostFacts, edition: str, minor: str, *reasons: str) -> Audit:
    result: AuditResult = "bad" if reasons else "good"
    lock, platform = LOCKS[edition, minor], platform_of(host.usable[0]).name
    return Audit(lock.digest, minor, platform, "2026-01-01T00:00:00Z", "lief 1.0.0", 1, result, reasons)


def plan_with(host: HostFacts, *audits: tuple[str, Audit], proved: bool = False) -> Plan:
    pythons = host_of(*(python(host, version) for version in ("3.11.1", "3.10.1", "3.9.1")))
    proofs = {"2": (proof(host, "2", "3.11"),)} if proved else {}
    by_edition = {name: [each for edition, each in audits if edition == name] for name, _ in audits}
    return make_plan(Wanted(TOOLS), Pythons("venv", pythons), LOCKS, proofs, by_edition)


def order(plan: Plan) -> list[tuple[str, str]]:
    return [(each.edition.name, each.lock.python) for each in plan.candidates]


def test_what_was_audited_bad_is_not_chosen_where_something_else_is_there(host: HostFacts) -> None:
    bad = audit(host, "2", "3.11", "libabsent.so is in none of the wheels")
    plan = plan_with(host, ("2", bad))
    assert order(plan) == [("2", "3.10"), ("1", "3.9"), ("2", "3.11")]
    why = next(each.why for each in plan.passed_over if "tools 2 on Python 3.11" in each.what)
    assert why == "audited for this platform: libabsent.so is in none of the wheels; 2 on 3.10 is preferred"


def test_what_was_audited_bad_is_chosen_where_nothing_else_is_there(host: HostFacts) -> None:
    bad = audit(host, "2", "3.11", "libabsent.so is in none of the wheels")
    here = Pythons("venv", host_of(python(host, "3.11.1")))
    assert order(make_plan(Wanted(TOOLS), here, LOCKS, audits={"2": [bad]})) == [("2", "3.11")]


def test_a_proof_outweighs_an_audit(host: HostFacts) -> None:
    bad = audit(host, "2", "3.11", "libabsent.so is in none of the wheels")
    assert order(plan_with(host, ("2", bad), proved=True))[0] == ("2", "3.11")


def test_of_the_rest_the_audited_come_before_the_unknown(host: HostFacts) -> None:
    assert order(plan_with(host, ("1", audit(host, "1", "3.9")))) == [("2", "3.11"), ("1", "3.9"), ("2", "3.10")]


def test_an_audit_of_another_lock_or_platform_says_nothing(host: HostFacts) -> None:
    bad = audit(host, "2", "3.11", "libabsent.so is in none of the wheels")
    for other in (replace(bad, lock="f" * 64), replace(bad, platform="macos-arm64")):
        assert order(plan_with(host, ("2", other)))[0] == ("2", "3.11")


def test_a_proof_with_a_newer_c_library_does_not_outweigh_what_modules_need(host: HostFacts) -> None:
    new = python(host, "3.11.1")
    old = replace(new, facts=replace(new.facts, libc=("glibc", "2.31")))
    needs = replace(audit(host, "2", "3.11"), needs="glibc 2.34")
    for libc, chosen in (("glibc 2.36", "1"), ("glibc 2.31", "2")):
        proofs = {"2": (proof(host, "2", "3.11", libc=libc),)}
        here = Pythons("venv", host_of(old, python(host, "3.9.1")))
        assert make_plan(Wanted(TOOLS), here, LOCKS, proofs, {"2": [needs]}).chosen.edition.name == chosen
