"""The platforms that an audit is for, and what a wheel's tags promise about the oldest system that it runs on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .module import ELF, MACH_O, PE

_FORMS = {"linux": ELF, "macos": MACH_O, "windows": PE}
# PEP 600: what the older names of manylinux mean.
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_TAG = re.compile(r"(?:manylinux|macosx)_(\d+)_(\d+)_\w+|(manylinux(?:1|2010|2014))_\w+")


@dataclass(frozen=True)
class Platform:
    """A system (`linux`, `macos`, `windows`), its processor as Linux names it, and a Python minor.

    `oldest` is the version of glibc or of macOS that modules must load on; empty if any that exists will do.
    """

    system: str
    machine: str
    python: str
    oldest: tuple[int, ...] = ()

    @property
    def form(self) -> str:
        """The format of its native modules."""
        return _FORMS[self.system]

    @property
    def site_packages(self) -> str:
        """Where packages are installed, relative to an environment's folder."""
        return "Lib/site-packages" if self.system == "windows" else f"lib/python{self.python}/site-packages"

    @property
    def must_be_signed(self) -> bool:
        """Whether the system ends a program that loads what is not validly signed (Apple: macOS 11 on arm64)."""
        return (self.system, self.machine) == ("macos", "aarch64")

    def in_words(self, version: tuple[int, ...]) -> str:
        """A version of what this system's modules depend on: `glibc 2.34`, `macOS 15.2`."""
        name = {"linux": "glibc", "macos": "macOS"}.get(self.system, "")
        return f"{name} {as_text(version)}" if version else ""


def promised(wheel: str) -> tuple[int, ...]:
    """The oldest glibc or macOS that a wheel's file name promises to run on; empty if it promises nothing."""
    found = []
    for tag in wheel[: -len(".whl")].rsplit("-", 1)[-1].split("."):
        match = _TAG.fullmatch(tag)
        if match:
            found.append(_LEGACY[match[3]] if match[3] else (int(match[1]), int(match[2])))
    return min(found, default=())


def is_pure(wheel: str) -> bool:
    """Whether a wheel claims to be for every platform: what is native in it is data."""
    return wheel.endswith("-any.whl")


def as_text(version: tuple[int, ...]) -> str:
    """`2.34`; a macOS version without a last zero."""
    return ".".join(map(str, version[:2] if len(version) > 2 and not version[2] else version))
