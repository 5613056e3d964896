"""What to do if a build fails, by what it says: mostly the system lacks something that no lock brings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from envguard.errors import NoEnvironment

TAIL_LINES = 20
NO_HEADERS = re.compile(r"\bPython\.h\b.{0,40}(?:No such file|not found)", re.IGNORECASE)
NO_FILE = re.compile(r"fatal error: '?([\w./+-]+\.h(?:pp)?)'?(?:: No such file| file not found)")
NO_COMPILER = re.compile(
    r"(?:command|unable to execute) '[^'\n]*(?:cc|[gc]\+\+|clang)[^'\n]*'.{0,40}No such file"
    r"|No such file or directory: '[^'\n]*(?:cc|[gc]\+\+|clang)[^'\n]*'"
    r"|\b(?:g?cc|[gc]\+\+|clang)(?:-[\d.]+)?: (?:command )?not found"
    r"|No CMAKE_C(?:XX)?_COMPILER could be found|Unknown compiler\(s\)|no acceptable C compiler found"
    r"|Microsoft Visual C\+\+ .{0,20}is required|invalid active developer path"
)
COMPILERS = {
    "darwin": "Install Apple's compilers with `xcode-select --install`; then run the same command again.",
    "win32": "Install the Build Tools for Visual Studio with their C++ workload; then run the same command again.",
}
DEBIAN_COMPILER = (
    "Install a compiler, on Debian and Ubuntu with `apt-get install build-essential`; then run the same command again."
)
OTHERWISE = (
    "Builds have no network and may write to their own folder only. If it lacks a tool of the system, install that. "
    "Correct what is wrong in a package of your own; of another's, use another version, or one that has wheels."
)


def failed(name: str, why: str) -> NoEnvironment:
    """The error of a build that failed for a reason of its own."""
    return NoEnvironment(f"The wheel of {name} could not be built.", why=why, next_step=OTHERWISE)


def failed_saying(name: str, said: str, python: Path) -> NoEnvironment:
    """The error of a build with that Python, by all that it printed, whose end is shown."""
    error = failed(name, "\n".join(said.strip().splitlines()[-TAIL_LINES:]))
    error.next_step = _next_step(said, python)
    return error


def _next_step(said: str, python: Path) -> str:
    missing = NO_FILE.search(said)
    if NO_COMPILER.search(said):
        return COMPILERS.get(sys.platform, DEBIAN_COMPILER)
    if NO_HEADERS.search(said):
        return (
            f"Install the headers of this Python, for Debian's and Ubuntu's own with `apt-get install "
            f"python{_minor_of(python)}-dev`; then run the same command again."
        )
    if missing:
        return (
            f"Install the package of your system that has {missing[1]} (on Debian and Ubuntu, `apt-file search "
            f"{missing[1]}` finds it); then run the same command again."
        )
    return OTHERWISE


def _minor_of(python: Path) -> str:
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([python, "-I", "-c", ask], capture_output=True, encoding="utf-8", check=False)
    return run.stdout.strip() or "3"
