"""The system's shared libraries that an installed package needs and this machine does not have."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from pathlib import Path

from ..contract import Gate
from ..gates import GateDeclaration, judge
from .elf import needed_libraries

DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLESv2.so.2": "libgles2",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libportaudio.so.2": "libportaudio2",
    "libstdc++.so.6": "libstdc++6",
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libxcb.so.1": "libxcb1",
}


def missing_libraries(folders: Iterable[Path]) -> tuple[str, ...]:
    """The sonames that the ELF files in the folders need, and that neither they nor the system bring; sorted.

    The dynamic linker stops at the first one that it misses; this finds all of them at once.
    """
    files = [path for folder in folders for path in folder.rglob("*.so*") if path.is_file()]
    brought = {path.name for path in files}
    needed = {name for path in files for name in needed_libraries(path)}
    return tuple(sorted(name for name in needed - brought if not _loads(name)))


MISSING_LIBRARY = GateDeclaration(
    "missing-library",
    "Shared libraries are there",
    "{who} needs shared libraries that this system does not have: {names}.",
    "{steps}",
)


def judged(missing: Iterable[str], who: str) -> Gate:
    """Whether no library is missing; what is said names the Debian packages that bring them."""
    names = tuple(missing)
    packages = sorted({DEBIAN_PACKAGES[name] for name in names if name in DEBIAN_PACKAGES})
    unknown = [name for name in names if name not in DEBIAN_PACKAGES]
    steps = []
    if packages:
        steps.append(f"On Debian or Ubuntu: apt-get install --no-install-recommends {' '.join(packages)}")
    if unknown:
        steps.append(f"Install the packages that bring {', '.join(unknown)}.")
    return judge(
        MISSING_LIBRARY, passed=not names, words={"who": who, "names": ", ".join(names), "steps": " ".join(steps)}
    )


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True
