"""Which OpenGL libraries and drivers this host has, as one hash: with another hash they may draw otherwise."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from envguard.host.linker import system_folders

# The dispatching libraries, Mesa with the compiler that it draws by, and what makers of GPUs install.
LIBRARIES = re.compile(
    r"lib(EGL|GL|gallium|glapi|gbm|drm|LLVM|nvidia|cuda|mali)[\w.+-]*\.so[\w.]*|[\w-]+_(dri|gbm)\.so"
)
BELOW = ("", "dri", "gbm")
# Where other drivers are named, and which devices there are.
NAMED = ("usr/share/glvnd/egl_vendor.d/*", "etc/glvnd/egl_vendor.d/*", "run/opengl-driver/lib/*")
DEVICES = ("dev/dri/*", "dev/nvidia*", "dev/mali*", "dev/kgsl*")
NVIDIA = Path("/sys/module/nvidia/version")


def graphics_drivers() -> str:
    """SHA-256 in hex over names, sizes and times of the files that draw, the kernel and its devices.

    Empty where a system does not tell: anywhere but on Linux.
    """
    if not sys.platform.startswith("linux"):
        return ""
    devices = sorted(str(path) for pattern in DEVICES for path in Path("/").glob(pattern))
    kernel = [platform.release(), NVIDIA.read_text() if NVIDIA.is_file() else ""]
    return hashlib.sha256(repr([*sorted(map(_seen, set(_files()))), devices, kernel]).encode()).hexdigest()


def _files() -> Iterator[Path]:
    for folder in {(folder / below).resolve() for folder in system_folders() for below in BELOW}:
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if LIBRARIES.fullmatch(path.name))
    for pattern in NAMED:
        yield from Path("/").glob(pattern)


def _seen(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:  # a link that leads nowhere
        return (str(path), 0, 0)
    return (str(path), found.st_size, found.st_mtime_ns)
