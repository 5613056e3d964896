"""Which programs a command step finds on its PATH: its environment's, and those of the host that it names."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from envguard.backends.protocol import Workspace
from envguard.catalog.model import CommandStep
from envguard.running.commands.tools import tool_paths

# What Python, shells and env(1) say of a program that they do not find.
_NOT_FOUND = re.compile(
    r"No such file or directory: '(?P<python>[\w.+-]+)'"
    r"|(?:^|[\s:])'?(?P<shell>[\w.+-]+)'?: (?:command not found|not found|No such file or directory)",
    re.MULTILINE,
)


def lay_out_tools(step: CommandStep, folder: Path, environ: Mapping[str, str]) -> dict[str, Path]:
    """How a step's tools are called, by name: by a launcher of each in the new folder, if there are any.

    A tool finds its own helpers as it does for the user, so a launcher gives it the user's PATH. Windows has nothing as
    small that a program can start.
    """
    paths = tool_paths(step, environ)
    if not paths or sys.platform == "win32":
        return paths
    folder.mkdir()
    launchers = {}
    for name, path in paths.items():
        launcher = launchers[name] = folder / name
        # Constants in quotes: no shell reads anything of a step's.
        text = (
            f'#!/bin/sh\nPATH={shlex.quote(environ.get("PATH", ""))}\nexport PATH\nexec {shlex.quote(str(path))} "$@"\n'
        )
        launcher.write_bytes(os.fsencode(text))
        launcher.chmod(0o755)
    return launchers


def path_of(workspace: Workspace, tools: Mapping[str, Path], environ: Mapping[str, str]) -> str:
    """The PATH of a step on this host; on Windows, what else lies beside a tool is on it too."""
    system = [environ.get("SYSTEMROOT", r"C:\Windows")] if sys.platform == "win32" else []
    folders = [workspace.layout.programs, *(path.parent for path in tools.values())]
    folders += [path for each in system for path in (Path(each, "System32"), Path(each))]
    return os.pathsep.join(dict.fromkeys(map(str, folders)))


def unnamed_tool(step: CommandStep, said: str, environ: Mapping[str, str]) -> str:
    """What to do where a step's last words are of a program that the user has and the step does not name, or empty."""
    for found in _NOT_FOUND.finditer(said):
        name = found["python"] or found["shell"]
        if name not in step.tools and shutil.which(name, path=environ.get("PATH", "")):
            named = ", ".join(f'"{each}"' for each in (*step.tools, name))
            return (
                f"It calls {name}, a program of your system that it does not name: add tools = [{named}] to the step."
            )
    return ""
