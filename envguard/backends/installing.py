"""Install locks: only wheels whose hashes match, into virtual environments or plain folders."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from envguard.backends.installers.finishing import finish_packages, finish_skeleton
from envguard.backends.installers.parts import parts_of
from envguard.backends.installers.running import compile_bytecode
from envguard.backends.installers.settings import Installer, Job
from envguard.backends.installers.tool import Tool, tool_of
from envguard.errors import NoEnvironment
from envguard.host.interpreters import Interpreter
from envguard.layout import Layout
from envguard.locks.lockfile import Lock

# uv's words where it cannot make sense of an interpreter, such as one of Debian's 3.9 without distutils.
REFUSED_BY_UV = re.compile(r"Failed to inspect Python interpreter.*\n(?:.*Can't use Python.*\n)?\s*cause: ([^\n]+)")


def build_venv(
    folder: Path, interpreter: Path, lock: Lock, installer: Installer, descriptors: tuple[int, ...] = ()
) -> Layout:
    """Create a virtual environment in `folder` and install every package of the lock into it.

    Whichever tool does it, its files are the same. Files are copied, never hard-linked, so that damage to one
    environment does not spread, and bytecode is compiled now, so that no run writes to the environment. Children
    inherit the `descriptors`. Raises NoEnvironment with the tool's own words.
    """
    job = Job(lock, folder, installer, descriptors)
    job.write()
    tool = _created_by(tool_of(installer), folder / "venv", interpreter, job)
    layout = _layout(folder / "venv")
    finish_skeleton(layout)
    with parts_of(job) as parts:
        for part in parts:
            part.write()
            tool.install(layout.python, part)
    if not all(part.compiles for part in parts):
        compile_bytecode(layout.python, layout.site_packages, job)
    finish_packages(layout, layout.python)
    return layout


def install_for_image(
    folder: Path,
    interpreter: Interpreter,
    lock: Lock,
    installer: Installer,
    layout: Layout,
    descriptors: tuple[int, ...] = (),
) -> None:
    """Install a lock's wheels for the platform of an image's interpreter into a layout's folder, without bytecode."""
    job = Job(lock, folder, installer, descriptors)
    job.write()
    with parts_of(job) as parts:
        for part in parts:
            part.write()
            tool_of(installer).lay_out(layout.site_packages, interpreter, part)
    layout.site_packages.mkdir(exist_ok=True)  # a lock may install nothing on this platform
    finish_packages(layout, layout.python)


def forget(names: Sequence[str], installer: Installer) -> None:
    """Remove distributions from the installer's cache, so that the next build fetches them again; all if none is named.

    Raises NoEnvironment if they cannot be removed.
    """
    tool_of(installer).forget(names, installer)


def _created_by(tool: Tool, venv: Path, interpreter: Path, job: Job) -> Tool:
    """The tool that made a virtual environment: another one than asked if that does not serve the interpreter."""
    try:
        tool.create(venv, interpreter, job)
    except NoEnvironment as error:
        refused = REFUSED_BY_UV.search(error.why)
        if job.installer.uv is None or refused is None:
            raise
        job.installer.passed_by(f"it does not serve {interpreter} ({refused[1].strip()})")
        tool = tool_of(replace(job.installer, uv=None))
        tool.create(venv, interpreter, job)
    return tool


def _layout(venv: Path) -> Layout:
    if os.name == "nt":
        return Layout(venv / "Scripts" / "python.exe", venv / "Lib" / "site-packages")
    (site_packages,) = venv.glob("lib/python3.*/site-packages")
    return Layout(venv / "bin" / "python", site_packages)
