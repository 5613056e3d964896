"""A plan takes the preferred edition on the preferred Python, and says why it passed over the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.catalog.model import Edition, Environment
from envguard.errors import BadInput, NoEnvironment
from envguard.host.interpreters import BrokenCandidate, HostFacts, Interpreter, Version
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel
from envguard.planning import make_plan

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


def test_the_order_of_the_catalog_decides_not_the_newest_python(host: HostFacts) -> None:
    plan = make_plan(TOOLS, host_of(python(host, "3.10.1"), python(host, "3.9.1"), python(host, "3.11.1")), LOCKS)
    chosen = [(each.edition.name, each.lock.python) for each in plan.candidates]
    assert chosen == [("2", "3.11"), ("2", "3.10"), ("1", "3.9")]


def test_the_newest_patch_release_of_a_minor_is_taken(host: HostFacts) -> None:
    old, new = python(host, "3.11.9"), python(host, "3.11.10")
    for order in ((old, new), (new, old)):
        plan = make_plan(TOOLS, host_of(*order), LOCKS)
        assert plan.chosen.interpreter == new
        assert any("3.11.9" in each.what and "preferred" in each.why for each in plan.passed_over)


def test_everything_that_lost_has_a_reason(host: HostFacts) -> None:
    broken = BrokenCandidate(Path("/x/python3.10"), ("PATH",), "shim", "Its pyenv shim exits 127.")
    pythons = (python(host, "3.11.1"), python(host, "3.14.0"), python(host, "3.10.1", reasons=("32-bit.",)))
    plan = make_plan(TOOLS, HostFacts(pythons, (broken,)), LOCKS)
    why = {each.what: each.why for each in plan.passed_over}
    assert why["tools 2 on Python 3.10"] == "/pythons/3.10.1/bin/python: 32-bit."
    assert why["tools 1 on Python 3.9"] == "this host has no Python 3.9"
    assert why["Python 3.14.0 (/pythons/3.14.0/bin/python)"] == "no edition of tools is for Python 3.14"
    assert why["/x/python3.10"] == "Its pyenv shim exits 127."


def test_no_wheel_for_this_platform_is_one_sentence(host: HostFacts) -> None:
    locks = {("2", "3.11"): lock("2", "3.11", "one-1.0-cp311-cp311-win_arm64.whl")}
    with pytest.raises(NoEnvironment) as caught:
        make_plan(TOOLS, host_of(python(host, "3.11.1")), locks)
    assert "one 1.0 has no wheel for this platform (there are: win_arm64)" in caught.value.why
    assert caught.value.exit_code == 3


def test_a_package_that_this_platform_does_not_need_is_not_missed(host: HostFacts) -> None:
    wheel = LockedWheel("two-1.0-cp311-cp311-win_arm64.whl", "b" * 64)
    whole = LOCKS["2", "3.11"]
    elsewhere = LockedPackage("two", "1.0", "sys_platform == 'nowhere'", (wheel,))
    plan = make_plan(
        TOOLS, host_of(python(host, "3.11.1")), {("2", "3.11"): replace(whole, packages=(*whole.packages, elsewhere))}
    )
    assert plan.chosen.lock.python == "3.11"


def test_an_edition_can_be_asked_for(host: HostFacts) -> None:
    pythons = host_of(python(host, "3.11.1"), python(host, "3.9.1"))
    assert make_plan(TOOLS, pythons, LOCKS, edition="1").chosen.lock.python == "3.9"
    with pytest.raises(BadInput, match="no edition '7'"):
        make_plan(TOOLS, pythons, LOCKS, edition="7")


def test_no_plan_names_every_reason(host: HostFacts) -> None:
    with pytest.raises(NoEnvironment) as caught:
        make_plan(TOOLS, host_of(python(host, "3.13.1")), {})
    for minor in ("3.11", "3.10", "3.9"):
        assert f"on Python {minor}: it has no lock" in caught.value.why
    assert "3.11, 3.10, 3.9" in caught.value.next_step
