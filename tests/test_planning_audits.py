"""What an audit found decides only where nothing is proved: bad comes last, good before what nobody looked at."""

from __future__ import annotations

from dataclasses import replace

from envguard.host.interpreters import HostFacts
from envguard.locks.audits import Audit, AuditResult
from envguard.planning import Plan, Pythons, Wanted, make_plan, platform_of
from tests.test_planning import LOCKS, TOOLS, host_of, proof, python


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
