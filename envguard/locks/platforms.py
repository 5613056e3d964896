"""Where a proof counts: a system, an architecture, and the C library (Linux) or the system's version (elsewhere).

What a Python build says of itself (`sysconfig.get_platform()`) is no such place: `macosx-11.0-universal2` and
`macosx-14.0-arm64` may be two builds on one Mac, and neither names the macOS that they run on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ANY_PLATFORM = "any"
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_ONE_NAME = {"amd64": "x86_64", "i386": "x86", "i586": "x86", "i686": "x86", "32": "x86"}
_MAC_BUILD = re.compile(r"macosx-[\d.]+-(?P<machine>\w+)")
_WINDOWS_BUILD = re.compile(r"win(?P<machine>32|-\w+)")


@dataclass(frozen=True, slots=True)
class Platform:
    """A machine as proofs know it: `name` such as `linux-x86_64`, `macos-arm64`, `windows-x86_64`.

    `libc` is the C library's name without its version, empty where programs do not choose one. `os_version` is the
    version of macOS (`15.3.1`) or of Windows' kernel (`10.0.26100`), empty on Linux and where nobody asked.
    """

    name: str
    libc: str
    os_version: str = ""

    def __str__(self) -> str:
        """The platform in words: `linux-x86_64 with glibc`, `macos-arm64, version 15`."""
        generation = os_generation(self.name, self.os_version)
        libc = f" with {self.libc}" if self.libc else ""
        return self.name + libc + (f", version {generation}" if generation else "")

    def counts(self, other: Platform) -> bool:
        """Whether what was seen on the other platform tells of this one; it must not where a version is not known."""
        if other.name == ANY_PLATFORM:
            return True
        ours, theirs = (os_generation(each.name, each.os_version) for each in (self, other))
        known = bool(ours) or not self.name.startswith(("macos-", "windows-"))
        return known and (self.name, self.libc, ours) == (other.name, other.libc, theirs)


def os_generation(name: str, os_version: str) -> str:
    """The part of a system's version within which proofs hold: `15` of macOS 15.3.1, `10.0` of Windows 10.0.26100.

    A wheel asks for a macOS of at least some version, and Apple removes things in major versions only. Windows 10, 11
    and the servers since 2016 are one kernel version and run the same programs.
    """
    parts = os_version.split(".")
    return ".".join(parts[: 2 if name.startswith("windows-") else 1])


def platform_name(sys_platform: str, machine: str, build: str, bits: int) -> str:
    """`linux-aarch64`, `macos-arm64`, `windows-x86_64`, … of an interpreter.

    `sys_platform` is its `sys.platform`, `machine` its `platform.machine()`, `build` its `sysconfig.get_platform()`,
    `bits` the size of its pointers. A Windows program may run on another architecture than its own, and then `machine`
    is the machine's.
    """
    windows = _WINDOWS_BUILD.fullmatch(build)
    if sys_platform == "win32" and windows:
        machine = windows["machine"].lstrip("-")
    system = SYSTEMS.get(sys_platform, sys_platform)
    return f"{system}-{_architecture(system, machine, bits)}"


def as_platform_name(recorded: str) -> str:
    """The name in a record; earlier ones held `sysconfig.get_platform()`, which is the same for Linux alone."""
    mac, windows = _MAC_BUILD.fullmatch(recorded), _WINDOWS_BUILD.fullmatch(recorded)
    if mac:
        return f"macos-{mac['machine']}"
    if windows:
        return platform_name("win32", "", recorded, 32 if recorded == "win32" else 64)
    return recorded


def _architecture(system: str, machine: str, bits: int) -> str:
    name = machine.lower()
    name = _ONE_NAME.get(name, name)
    if name in ("arm64", "aarch64"):
        name = "aarch64" if system == "linux" else "arm64"
    if bits == 32:
        return {"x86_64": "x86", "aarch64": "armv7l"}.get(name, name)
    return name
