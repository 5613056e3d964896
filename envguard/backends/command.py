"""A user's own command in an environment: the program and its variables."""

from __future__ import annotations

import os
import sys

from envguard.host.variables import command_variables

TYPE_CHECKING = False  # as collections.abc, typing costs milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

if sys.platform == "win32":
    from envguard.system.windows_console import supervise_there
else:
    from envguard.backends.becoming import become


def run_command(
    command: Sequence[str], python: str, environ: Mapping[str, str], *, here: bool = False, keep: Sequence[int] = ()
) -> int:
    """Run a command in the environment whose interpreter is `python`, and return its exit code.

    Where there is an `exec`, this process becomes the command, and only comes back if it cannot be started.
    """
    programs = os.path.dirname(python)  # noqa: PTH120 - pathlib costs 4 ms to import
    line, variables = command_line(command, python, here=here), command_variables(environ, programs)
    if sys.platform == "win32":
        return supervise_there(line, variables)
    else:  # noqa: RET505 - type checkers know of systems by branches
        return become(line, variables, keep=keep)


def command_line(command: Sequence[str], python: str, *, here: bool = False) -> list[str]:
    """The command with `python` meaning the environment's, isolated from the user's site and the current folder.

    A script keeps its own folder on the path, because the user named it; `-c`, `-m` and an interactive Python see the
    current folder only with `here`.
    """
    program, *arguments = command
    if not _is_python(program):
        return list(command)
    first = arguments[0] if arguments else ""
    if here or (first and not first.startswith("-")):
        return [python, "-E", "-s", "-B", *arguments]
    return [python, "-I", "-B", *arguments]


def _is_python(program: str) -> bool:
    """Whether this names a Python without a path: `python`, `python3`, `python3.11`, on Windows with `.exe`."""
    name = program.lower() if os.name == "nt" else program
    version = name.removesuffix(".exe").removeprefix("python")
    return name.startswith("python") and (not version or version.replace(".", "").isdigit())
