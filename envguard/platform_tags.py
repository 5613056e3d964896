"""Wheel platform tags for a Linux by its C library, which need not be the Linux this process runs on."""

from __future__ import annotations

OLDEST_GLIBC = 5  # manylinux_2_5 is manylinux1: there are no wheels for an older one
LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def linux_tags(libc: str, major: int, newest: int, machine: str) -> list[str]:
    """All tags for a version of `libc` ("manylinux" or "musllinux"), best first, in the order of `packaging.tags`."""
    found = [f"linux_{machine}"]
    if libc == "musllinux":
        return found + [f"musllinux_{major}_{minor}_{machine}" for minor in range(newest, -1, -1)]
    for minor in range(newest, OLDEST_GLIBC - 1, -1):
        found.append(f"manylinux_{major}_{minor}_{machine}")
        if minor in LEGACY_MANYLINUX:
            found.append(f"{LEGACY_MANYLINUX[minor]}_{machine}")
    return found
