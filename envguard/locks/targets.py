"""Describe another machine by its wheel platform tag: which wheels fit it and which marker values it has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging import tags
from packaging.tags import Tag

from envguard.errors import BadInput
from envguard.platform_tags import linux_tags

LINUX = re.compile(r"(?P<libc>manylinux|musllinux)_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>\w+)")
MACOS = re.compile(r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>x86_64|arm64)")
WINDOWS = {"win_amd64": "AMD64", "win_arm64": "ARM64"}
EXAMPLES = "manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64, win_amd64"


@dataclass(frozen=True, slots=True)
class Target:
    """A CPython minor on a platform: its wheel tags, best first, and its marker values (PEP 508)."""

    tags: tuple[Tag, ...]
    markers: dict[str, str]


def target_of(platform_tag: str, python: str) -> Target:
    """The target that a wheel platform tag names; raises BadInput if the tag is unknown."""
    platforms, sys_platform, system, machine = _platform(platform_tag)
    version = tuple(int(part) for part in python.split("."))
    abi = f"cp{version[0]}{version[1]}"
    own = tags.cpython_tags(version, abis=[abi], platforms=platforms)
    shared = tags.compatible_tags(version, interpreter=abi, platforms=platforms)
    markers = {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "nt" if sys_platform == "win32" else "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": sys_platform,
    }
    return Target(tuple(dict.fromkeys((*own, *shared))), markers)


def _platform(tag: str) -> tuple[list[str], str, str, str]:
    """All fitting platform tags, and the names of the system and the machine."""
    if match := LINUX.fullmatch(tag):
        tags_of_it = linux_tags(match["libc"], int(match["major"]), int(match["minor"]), match["machine"])
        return tags_of_it, "linux", "Linux", match["machine"]
    if match := MACOS.fullmatch(tag):
        version = (int(match["major"]), int(match["minor"]))
        return list(tags.mac_platforms(version, match["machine"])), "darwin", "Darwin", match["machine"]
    if tag in WINDOWS:
        return [tag], "win32", "Windows", WINDOWS[tag]
    raise BadInput(f"{tag!r} is not a known wheel platform tag.", next_step=f"Use a tag such as {EXAMPLES}.")
