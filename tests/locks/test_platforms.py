"""A proof counts for a system, an architecture and a C library or version, whichever Python build asks."""

from __future__ import annotations

import pytest

from envguard.locks.platforms import ANY_PLATFORM, Platform, platform_name


@pytest.mark.parametrize(
    ("build", "machine"),
    [
        ("macosx-11.0-arm64", "arm64"),  # uv's
        ("macosx-14.0-arm64", "arm64"),  # Homebrew's
        ("macosx-10.13-universal2", "arm64"),  # python.org's
    ],
)
def test_every_build_for_one_mac_is_one_platform(build: str, machine: str) -> None:
    assert platform_name("darwin", machine, build, 64) == "macos-arm64"


@pytest.mark.parametrize(
    ("system", "machine", "build", "bits", "name"),
    [
        ("linux", "x86_64", "linux-x86_64", 64, "linux-x86_64"),
        ("linux", "aarch64", "linux-aarch64", 64, "linux-aarch64"),
        ("linux", "x86_64", "linux-x86_64", 32, "linux-x86"),
        ("darwin", "x86_64", "macosx-10.13-universal2", 64, "macos-x86_64"),
        ("win32", "AMD64", "win-amd64", 64, "windows-x86_64"),
        ("win32", "ARM64", "win-arm64", 64, "windows-arm64"),
        ("win32", "ARM64", "win-amd64", 64, "windows-x86_64"),  # an x86-64 Python on an ARM machine
        ("win32", "AMD64", "win32", 32, "windows-x86"),
        ("win32", "AMD64", "mingw_x86_64_ucrt", 64, "windows-x86_64"),  # MSYS2's
    ],
)
def test_a_platform_is_a_system_and_the_architecture_of_the_program(
    system: str, machine: str, build: str, bits: int, name: str
) -> None:
    assert platform_name(system, machine, build, bits) == name


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (Platform("linux-x86_64", "glibc"), Platform("linux-x86_64", "glibc")),
        (Platform("macos-arm64", "", "15.3.1"), Platform("macos-arm64", "", "15.0")),
        (Platform("windows-x86_64", "", "10.0.19045"), Platform("windows-x86_64", "", "10.0.26100")),
        (Platform("freebsd14-amd64", ""), Platform("freebsd14-amd64", "")),
        (Platform("macos-arm64", "", "15.3.1"), Platform(ANY_PLATFORM, "")),
    ],
)
def test_what_was_seen_on_such_a_machine_counts(here: Platform, there: Platform) -> None:
    assert here.counts(there)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (Platform("linux-x86_64", "glibc"), Platform("linux-x86_64", "musl")),
        (Platform("linux-x86_64", "glibc"), Platform("linux-aarch64", "glibc")),
        (Platform("macos-arm64", "", "15.3.1"), Platform("macos-arm64", "", "14.7")),
        (Platform("macos-arm64", "", "15.3.1"), Platform("macos-arm64", "")),
        (Platform("macos-arm64", ""), Platform("macos-arm64", "")),  # which versions these are, nobody knows
        (Platform("macos-arm64", "", "15.3.1"), Platform("macos-x86_64", "", "15.3.1")),
        (Platform("windows-x86_64", "", "10.0.19045"), Platform("windows-x86_64", "", "6.3.9600")),
    ],
)
def test_what_was_seen_elsewhere_does_not(here: Platform, there: Platform) -> None:
    assert not here.counts(there)


def test_a_platform_is_shown_as_far_as_proofs_go() -> None:
    assert str(Platform("linux-x86_64", "glibc")) == "linux-x86_64 with glibc"
    assert str(Platform("macos-arm64", "", "15.3.1")) == "macos-arm64, version 15"
