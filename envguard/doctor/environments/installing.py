"""Check what stands in the way of installing: folders that cannot be written, other Pythons' pip, moved commands."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from envguard.doctor.environments.curing import Surroundings, Tools, is_externally_managed, typed
from envguard.doctor.environments.installed import InstalledEnvironment
from envguard.doctor.environments.reading import entries
from envguard.doctor.finding import Finding, shown_of

_SHEBANG = re.compile(rb"#!\s*(?P<program>/[^\n]{1,400}?python[0-9.]*)\s*(?:-\S*\s*)?\r?\n")
_EXEC = re.compile(rb"#!/bin/sh\n'''exec' \"?(?P<program>/[^\n\"]{1,4000}?/python[0-9.]*)\"? ")
_ACTIVATES = re.compile(r"^\s*(?:export )?VIRTUAL_ENV=[\"']?(?P<folder>/[^\"'\n]*)", re.MULTILINE)
_HEAD = 8192


def read_only(environment: InstalledEnvironment) -> Iterator[Finding]:
    """Folders for packages into which nobody can write, or not this user; of a system's own that is a note."""
    own = environment.kind == "virtual"
    for folder in environment.site_packages:
        try:
            status = folder.stat()
        except OSError:
            continue
        locked = not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
        if not locked and os.access(folder, os.W_OK):
            continue
        mine = not hasattr(os, "geteuid") or os.geteuid() in (0, status.st_uid)
        yield Finding(
            "read-only",
            "finding" if own else "note",
            "Nothing can be installed or removed here: this user may not write into the folder",
            f"{folder}: {stat.filemode(status.st_mode)}, of user {status.st_uid}",
            "allow it" if own and mine and locked else "make an environment of your own",
            (typed("chmod", "-R", "u+w", folder),) if own and mine and locked else (),
        )


def externally_managed(environment: InstalledEnvironment) -> Iterator[Finding]:
    """A Python into which pip refuses to install (PEP 668): nothing is wrong, but one must know what to do."""
    if not is_externally_managed(environment):
        return
    python = environment.interpreter.path
    lacking = "ensurepip" in environment.interpreter.facts.missing_modules
    yield Finding(
        "externally managed",
        "note",
        "pip refuses to install into this Python, whose packages are the system's or uv's (PEP 668)",
        str(environment.standard_library / "EXTERNALLY-MANAGED"),
        "make an environment, and install there",
        (
            *(("apt-get install python3-venv",) if lacking and environment.root == Path("/usr") else ()),
            typed(python, "-m", "venv", ".venv"),
            ". .venv/bin/activate",
        ),
    )


def other_pip(environment: InstalledEnvironment, tools: Tools, around: Surroundings) -> Iterator[Finding]:
    """A `pip` on PATH that installs elsewhere: a finding where `python` there is this environment's own."""
    pip = around.which("pip")
    if not pip:
        return
    theirs = _python_of(Path(pip))
    if theirs is None or _same_place(theirs.parent, environment.programs):
        return
    if environment.kind != "virtual" and theirs.resolve() == environment.python.resolve():
        return
    named = [Path(found) for name in ("python", "python3") if (found := around.which(name))]
    active = any(_same_place(each.parent, environment.programs) for each in named)
    activated = around.environ.get("VIRTUAL_ENV", "")
    if not active and not (activated and _same_place(Path(activated), environment.root)):
        return
    direct = tools.pip or not tools.uv
    yield Finding(
        "other pip",
        "finding",
        "`pip` on PATH installs into another Python than `python` starts",
        f"{pip} is of {theirs}",
        "call pip through the environment's own Python",
        (f"{tools.python} -m pip --version",) if direct else (f"{tools.uv} pip list --python {tools.python}",),
    )


def _same_place(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one == other


def _python_of(script: Path) -> Path | None:
    """The Python that starts a script; None if its first lines do not say."""
    try:
        with script.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    found = _SHEBANG.match(head) or _EXEC.match(head)
    return Path(os.fsdecode(found["program"])) if found else None


def moved(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """Commands, and `activate`, that name the folder in which the environment once was."""
    if environment.kind != "virtual":
        return
    wrong: dict[str, Path] = {}
    for row in entries(environment.programs):
        owner = environment.owners.get(os.path.normpath(row.path))
        python = _python_of(Path(row.path)) if owner and row.is_file() and not row.is_symlink() else None
        if owner and python is not None and not _same_place(python.parent, environment.programs):
            wrong[row.name] = python
    was = _activates(environment.programs / "activate")
    if was is not None and not _same_place(was, environment.root):
        wrong["activate"] = was
    if wrong:
        owners = {
            owner for name in wrong if (owner := environment.owners.get(os.path.normpath(environment.programs / name)))
        }
        options = ["--without-pip", *(["--system-site-packages"] if environment.sees_system else [])]
        yield Finding(
            "moved",
            "finding",
            f"{len(wrong)} of the environment's commands are for another place: it was moved or copied",
            f"{shown_of(sorted(wrong))}; they name {next(iter(wrong.values()))}",
            "write them anew where it is now; its packages stay",
            (
                typed(environment.interpreter.path, "-m", "venv", *options, environment.root),
                *(tools.reinstall(owners) if owners else ()),
            ),
        )


def _activates(script: Path) -> Path | None:
    """The folder that an `activate` script activates; None if it works that out when it is used."""
    try:
        with script.open(encoding="utf-8", errors="replace") as file:
            found = _ACTIVATES.search(file.read(_HEAD))
    except OSError:
        return None
    return Path(found["folder"]) if found else None
