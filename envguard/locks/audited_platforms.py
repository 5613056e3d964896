"""The platforms that wheels can be audited for, by the names that proofs have for them or by a wheel's platform tag."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from envguard.errors import BadInput
from envguard.locks.targets import LINUX, MACOS, WINDOWS, target_of

System = Literal["linux", "macos", "windows"]

# Recent systems that are in wide use: of the wheels that fit, an installer takes the newest.
_TAGS = {
    "macos-arm64": "macosx_15_0_arm64",
    "macos-x86_64": "macosx_15_0_x86_64",
    "windows-x86_64": "win_amd64",
    "windows-arm64": "win_arm64",
    "linux-x86_64": "manylinux_2_39_x86_64",
    "linux-aarch64": "manylinux_2_39_aarch64",
}
PLATFORMS = tuple(_TAGS)
USUAL = ("macos-arm64", "windows-x86_64", "linux-x86_64", "linux-aarch64")


@dataclass(frozen=True, slots=True)
class AuditedPlatform:
    """A platform: `name` is the proofs' word for it, or the tag that asks about one version of a system.

    `machine` is as Linux names it. Only audits of a `name` that proofs know are `recorded`; then `oldest` is empty,
    because which version a machine has is not known.
    """

    name: str
    tag: str
    system: System
    machine: str
    oldest: tuple[int, ...] = ()

    @property
    def recorded(self) -> bool:
        """Whether what is found holds for the platform as a whole."""
        return self.name in _TAGS


def audited_platform(name: str) -> AuditedPlatform:
    """The platform that `--platform` names; raises BadInput if there is none of that name or tag."""
    tag = _TAGS.get(name, name)
    try:
        target_of(tag, "3.11")
    except BadInput as error:
        raise BadInput(
            f"There is no platform {name!r}.",
            next_step=f"Choose one of: {', '.join(_TAGS)}; or name a wheel platform tag such as "
            "manylinux_2_28_aarch64 or macosx_14_0_arm64.",
        ) from error
    oldest: tuple[int, ...] = ()
    match = LINUX.fullmatch(tag) or MACOS.fullmatch(tag)
    if match is not None and name == tag and not tag.startswith("musllinux"):
        oldest = (int(match["major"]), int(match["minor"]))
    system: System = "windows" if tag in WINDOWS else "linux" if LINUX.fullmatch(tag) else "macos"
    return AuditedPlatform(name, tag, system, _machine(tag), oldest)


def _machine(tag: str) -> str:
    match = re.search(r"(x86_64|amd64|aarch64|arm64|i686|armv7l|riscv64|ppc64le|s390x)$", tag)
    machine = match[0] if match else ""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
