"""The version of this host's operating system, whatever Python asks for it."""

from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache

# What macOS tells programs that were built before its version 11, whichever version it is.
_TOLD_TO_OLD_PROGRAMS = "10.16"


@cache
def os_version() -> str:
    """The version of macOS (`15.3.1`) or of Windows' kernel (`10.0.26100`); empty on every other system."""
    if sys.platform == "darwin":
        told = platform.mac_ver()[0]
        return _asked_of_macos() or told if told.startswith(_TOLD_TO_OLD_PROGRAMS) else told
    return platform.version() if sys.platform == "win32" else ""


def _asked_of_macos() -> str:
    """The version by macOS' own program, which is as new as the system; empty if it does not answer."""
    try:
        asked = subprocess.run(
            ["/usr/bin/sw_vers", "-productVersion"], capture_output=True, check=True, timeout=10, encoding="utf-8"
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return asked.stdout.strip()
