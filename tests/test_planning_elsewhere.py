"""What the shipped catalog and locks give where this host is not: at once, without trying what cannot work there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog
from envguard.errors import NoEnvironment
from envguard.host.interpreters import BaseImage, HostFacts, Interpreter, InterpreterFacts, Version
from envguard.host.remedies import INSTALL, PassedOver, next_step
from envguard.planning import Plan, Pythons, Wanted, make_plan
from envguard.running.environments.recorded import recorded_audits, recorded_locks, recorded_proofs

# What Debian 12's Python answers on aarch64.
DEBIAN_12 = InterpreterFacts(
    version=Version(3, 11, 2, "final", 0),
    full_version="3.11.2",
    implementation="cpython",
    implementation_name="CPython",
    implementation_version="3.11.2",
    architecture="aarch64",
    bits=64,
    libc=("glibc", "2.36"),
    build="3.11.2 (main, May 12 2026, 05:17:27) [GCC 12.2.0]",
    platform="linux-aarch64",
    soabi="cpython-311-aarch64-linux-gnu",
    debug=False,
    free_threaded=False,
    os_name="posix",
    sys_platform="linux",
    platform_system="Linux",
    base_prefix="/usr",
    executable="/usr/bin/python3.11",
    virtual_environment_home=None,
    missing_modules=(),
)


def python_in(image: str, packages: frozenset[str] | None = None, **facts: object) -> Interpreter:
    """The Python of an image for aarch64, whose C library is the image's own."""
    path = Path("/usr/bin/python3.11")
    changed = replace(DEBIAN_12, **facts)  # type: ignore[arg-type]
    return Interpreter(path, path, (), ("image",), changed, base=BaseImage(image, "0" * 64, packages))


def plan_of(name: str, interpreter: Interpreter, edition: str | None = None) -> Plan:
    environment = builtin_catalog().environments[name]
    return make_plan(
        Wanted(environment, edition),
        Pythons("container", HostFacts((interpreter,), ())),
        recorded_locks(environment),
        recorded_proofs(environment),
        recorded_audits(environment),
    )


def why_not(plan: Plan) -> dict[str, str]:
    return {each.what: each.why for each in plan.passed_over}


DEBIAN = python_in("debian:12", frozenset({"libegl1", "libgles2"}))


@pytest.mark.parametrize("name", builtin_catalog().environments)
def test_every_environment_can_be_had_on_aarch64_linux(name: str) -> None:
    assert plan_of(name, DEBIAN).chosen.lock.python == "3.11"


def test_the_quantizer_is_the_preferred_edition_on_aarch64_linux() -> None:
    preferred = builtin_catalog().environments["quantize"].editions[0]
    assert plan_of("quantize", DEBIAN).chosen.edition == preferred


def test_mediapipe_without_a_wheel_for_aarch64_is_passed_over_and_the_next_edition_is_chosen_at_once() -> None:
    plan = plan_of("verify", DEBIAN)
    assert plan.chosen.edition.name.startswith("1.2")
    assert {each.edition.name for each in plan.candidates}.isdisjoint({"0.10.21"})
    reason = why_not(plan)["verify 0.10.21 on Python 3.11"]
    assert reason.startswith("mediapipe 0.10.21 has no wheel for this platform, only for macosx_11_0_universal2,")
    assert "aarch64" not in reason


OLD = python_in("python:3.11-slim-bullseye", libc=("glibc", "2.31"))
TOO_NEW = "its modules need glibc 2.34, and this system has 2.31"


def test_where_glibc_is_older_than_the_modules_need_no_such_edition_is_tried() -> None:
    with pytest.raises(NoEnvironment) as caught:
        plan_of("quantize", OLD)
    for edition in ("0.10", "litert-0.11", "0.9", "0.6"):
        assert f"quantize {edition} on Python 3.11: {TOO_NEW}" in caught.value.why
    # Its modules would load, but LiteRT's wheel for aarch64 has no `tools`, which the quantizer imports.
    assert "quantize 0.4.1 on Python 3.11: known-bad here: it fails" in caught.value.why


@pytest.mark.parametrize("minor", [10, 12, 13])
def test_the_same_is_known_of_pythons_on_which_nobody_tried_it(minor: int) -> None:
    version = Version(3, minor, 1, "final", 0)
    other = replace(OLD, facts=replace(OLD.facts, version=version, full_version=f"3.{minor}.1"))
    assert [each.edition.name for each in plan_of("quantize", other).candidates] == ["0.4.1"]


def test_who_asks_for_an_edition_that_cannot_load_is_told_before_anything_is_fetched() -> None:
    with pytest.raises(NoEnvironment) as caught:
        plan_of("quantize", OLD, edition="0.10")
    assert f"quantize 0.10 on Python 3.11: {TOO_NEW}" in caught.value.why


def test_where_the_c_library_of_a_host_is_too_old_a_container_has_a_newer_one() -> None:
    reason = PassedOver("quantize 0.10 on Python 3.11", TOO_NEW, "old C library", "3.11")
    assert "--backend container" in next_step("quantize", [reason], INSTALL, machine="aarch64")
    assert "--backend container" not in next_step("quantize", [reason], INSTALL, machine="")


def test_what_no_edition_has_wheels_for_is_not_to_be_mended_by_choosing_another() -> None:
    other = python_in("an image", architecture="riscv64", platform="linux-riscv64")
    for edition, advice in ((None, "No edition of it has wheels for"), ("0.10", "Choose another edition of it")):
        with pytest.raises(NoEnvironment) as caught:
            plan_of("quantize", other, edition)
        assert caught.value.next_step.startswith(advice)


def test_an_image_for_aarch64_without_the_system_libraries_is_not_tried() -> None:
    with pytest.raises(NoEnvironment) as caught:
        plan_of("verify", python_in("python:3.11-slim-bookworm", frozenset()))
    assert "lacks the Debian packages libegl1, libgles2" in caught.value.why


def test_there_is_no_quantizer_on_aarch64_with_musl_and_the_reason_is_literts_wheels() -> None:
    with pytest.raises(NoEnvironment) as caught:
        plan_of("quantize", python_in("python:3.11-alpine", libc=("musl", "")))
    for edition in ("0.10", "0.9", "0.4.1"):
        assert f"quantize {edition} on Python 3.11: ai-edge-litert" in caught.value.why
