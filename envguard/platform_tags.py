"""What wheels' tags and requirements' markers call platforms, which need not be the one this process runs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags

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


@dataclass(frozen=True, slots=True)
class LockPlatform:
    """A platform as markers know it, and how the tags of its wheels begin and end."""

    name: str
    sys_platform: str
    system: str
    os_name: str
    machine: str
    tag_starts: tuple[str, ...]
    tag_ends: tuple[str, ...]

    @property
    def marker(self) -> str:
        """The marker that is true on it and on no other."""
        return f"sys_platform == '{self.sys_platform}' and platform_machine == '{self.machine}'"

    def takes(self, tag: Tag) -> bool:
        """Whether a wheel with that tag can be installed on some version of it."""
        return tag.platform == "any" or (
            tag.platform.startswith(self.tag_starts) and tag.platform.endswith(self.tag_ends)
        )


_LINUX = ("linux", "manylinux", "musllinux")
PLATFORMS: Mapping[str, LockPlatform] = {
    each.name: each
    for each in (
        LockPlatform("linux-x86_64", "linux", "Linux", "posix", "x86_64", _LINUX, ("_x86_64",)),
        LockPlatform("linux-aarch64", "linux", "Linux", "posix", "aarch64", _LINUX, ("_aarch64",)),
        LockPlatform("macos-x86_64", "darwin", "Darwin", "posix", "x86_64", ("macosx",), ("_x86_64", "_universal2")),
        LockPlatform("macos-arm64", "darwin", "Darwin", "posix", "arm64", ("macosx",), ("_arm64", "_universal2")),
        LockPlatform("windows-x86_64", "win32", "Windows", "nt", "AMD64", ("win",), ("_amd64",)),
        LockPlatform("windows-arm64", "win32", "Windows", "nt", "ARM64", ("win",), ("_arm64",)),
    )
}


def platforms_of(names: Sequence[str]) -> tuple[LockPlatform, ...]:
    """The named platforms; all of them if none is named."""
    return tuple(PLATFORMS[name] for name in names) or tuple(PLATFORMS.values())


def marker_values(platforms: Sequence[LockPlatform], python: str) -> Iterator[dict[str, str]]:
    """What markers can find on those platforms with a CPython minor: for its first patch release and for a late one."""
    for each in platforms:
        for micro in ("0", "99"):
            yield {
                "implementation_name": "cpython",
                "implementation_version": f"{python}.{micro}",
                "os_name": each.os_name,
                "platform_machine": each.machine,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": each.system,
                "platform_version": "",
                "python_full_version": f"{python}.{micro}",
                "python_version": python,
                "sys_platform": each.sys_platform,
                "extra": "",
            }


def fits_python(tag: Tag, python: str) -> bool:
    """Whether CPython of that minor could install a wheel with that tag, on the platform that the tag names."""
    major, minor = (int(part) for part in python.split("."))
    abi = f"cp{major}{minor}"
    return tag in set(cpython_tags((major, minor), [abi], [tag.platform])) or tag in set(
        compatible_tags((major, minor), abi, [tag.platform])
    )
