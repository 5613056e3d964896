"""Read which ready environment a name stood for last time, in milliseconds, if nothing that decided it has changed.

The record lists what decided: the catalogs, the lock, its proofs, the interpreter. A Python that is new on this host
does not count: a working environment is not given up for it. Imports only what a bare Python has already loaded.
"""

from __future__ import annotations

import os

from envguard.ownership import owners, stranger
from envguard.store.fingerprint import MARKER, why_changed
from envguard.store.usage import hold

TITLE = "envguard shortcut 2"
FOLDER = "shortcuts"
PROJECT_FILE = "envguard.toml"
LARGEST = 65536
_LARGEST_PRIME = 4294967291  # below 2 ** 32


def recorded_as_ready(
    home: str, name: str, edition: str, environ: os._Environ[str] | dict[str, str]
) -> tuple[str, int | None] | None:
    """The interpreter of the environment that `name` stands for, if nothing has changed, and the hold on it.

    The hold is a descriptor that marks the environment as in use; the process that runs there inherits it.
    """
    try:
        project, mine = nearest_project(environ), owners(environ)
    except OSError:  # the current folder is gone
        return None
    record = record_file(home, name, edition, project)
    try:
        with open(record, encoding="utf-8") as file:
            title, asked, folder, python, interpreter, *watched = file.read(LARGEST).split("\n")
        if title != TITLE or asked != f"{name}\t{edition}\t{project}" or not watched:
            return None
        for line in watched:
            path, _, facts = line.rpartition("\t")
            if facts_of(path) != facts:
                return None
    except (OSError, ValueError):
        return None
    if stranger(record, mine) or stranger(folder, mine):
        return None
    descriptor = hold(folder)
    if not os.path.exists(os.path.join(folder, MARKER)) or why_changed(folder, python, interpreter, sources=False):
        if descriptor is not None:
            os.close(descriptor)
        return None
    return os.path.join(folder, python), descriptor


def facts_of(path: str) -> str:
    """What tells a file from a changed one: time, size, permissions and owner; empty if it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns} {found.st_size} {found.st_mode} {found.st_uid}"


def nearest_project(environ: os._Environ[str] | dict[str, str]) -> str:
    """The project file that the catalog would be looked for in, or nothing; whether it is trusted is not asked here."""
    named = environ.get("ENVGUARD_PROJECT")
    if named:
        return os.path.abspath(named)
    folder = os.getcwd()
    while True:
        file = os.path.join(folder, PROJECT_FILE)
        if os.path.exists(file):
            return file
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def record_file(home: str, name: str, edition: str, project: str) -> str:
    """Where the record of a name is."""
    # Names in catalogs are plain; the number only keeps projects apart. Reading compares what was asked for.
    number = int.from_bytes(os.fsencode(project), "big") % _LARGEST_PRIME
    return os.path.join(home, FOLDER, f"{name}@{edition}-{number:08x}")
