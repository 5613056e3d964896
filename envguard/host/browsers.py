"""Where a host keeps a browser of the Chromium family: on PATH, or where its installer puts it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

VARIABLE = "ENVGUARD_BROWSER"
"""Names the program to use instead."""

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
    "microsoft-edge-stable", "msedge", "chromium-headless-shell", "chrome-headless-shell",
)  # fmt: skip

_MAC = ("Google Chrome", "Chromium", "Microsoft Edge")
_WINDOWS = tuple(
    f"{name}/Application/{program}.exe"
    for name, program in (("Google/Chrome", "chrome"), ("Microsoft/Edge", "msedge"), ("Chromium", "chrome"))
)
_WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
_LINUX = ("/snap/bin/chromium", "/opt/google/chrome/chrome", "/opt/microsoft/msedge/msedge")


def find_browser(
    environ: Mapping[str, str], home: Path, *, root: Path = Path("/"), system: str = sys.platform
) -> Path | None:
    """The program of a Chromium, Chrome or Edge, or None; nothing is started.

    `root` is where system folders are looked for, `system` the value of `sys.platform` to follow.
    """
    possible = _possible(environ, home, root, system)
    return next((path for path in possible if path.is_file() and os.access(path, os.X_OK)), None)


def _possible(environ: Mapping[str, str], home: Path, root: Path, system: str) -> Iterator[Path]:
    if environ.get(VARIABLE):
        yield Path(environ[VARIABLE]).expanduser()
        return
    folders = os.pathsep.join(each for each in environ.get("PATH", "").split(os.pathsep) if Path(each).is_absolute())
    for found in (shutil.which(name, path=folders) for name in NAMES if folders):
        if found:
            yield Path(found)
    if system == "darwin":
        for above in (root / "Applications", home / "Applications"):
            yield from (above / f"{name}.app" / "Contents" / "MacOS" / name for name in _MAC)
    elif system == "win32":
        for variable in _WINDOWS_FOLDERS:
            yield from (Path(environ[variable], path) for path in _WINDOWS if environ.get(variable))
    else:
        yield from (root / path.lstrip("/") for path in _LINUX)
