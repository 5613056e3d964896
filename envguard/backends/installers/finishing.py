"""Make what uv leaves behind and what virtualenv and pip leave behind the same, byte for byte.

Both unpack the same wheels, so all that differs is what they write themselves. Of that, what an environment does not
need is removed (activation scripts, which would let the user's variables in: `envguard shell` does not; a module that
patches distutils; marks for backups and for Git), and the rest is written here: `pyvenv.cfg`, the programs of entry
points, the first lines of other scripts, INSTALLER, and RECORD. Bytecode needs nothing: it is compiled from the same
sources at the same paths. On Windows the launchers of programs, which are binaries, stay each tool's own.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path, PurePath

from envguard.layout import Layout

INSTALLER = "envguard"
SCRIPTS = ("console_scripts", "gui_scripts")
LONGEST_FIRST_LINE = 127  # Linux reads no more
UNNEEDED = (".lock", ".gitignore", "CACHEDIR.TAG", "include")
UNNEEDED_PROGRAMS = ("activate*", "deactivate*", "pydoc.bat")
UNNEEDED_MODULES = ("_virtualenv.py", "_virtualenv.pth")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SHELL_LINES = re.compile(rb"#!/bin/sh\n'''exec' [^\n]*\n' '''\n")

PROGRAM = """import sys
from {module} import {name}
if __name__ == "__main__":
    sys.exit({attribute}())
"""


def finish_skeleton(layout: Layout) -> None:
    """Reduce a new virtual environment without packages to what it needs."""
    root = layout.root
    for path in (
        *(root / name for name in UNNEEDED),
        *(layout.site_packages / name for name in UNNEEDED_MODULES),
        *(found for pattern in UNNEEDED_PROGRAMS for found in layout.programs.glob(pattern)),
    ):
        _remove(path)
    if sys.platform.startswith("linux") and not os.path.lexists(root / "lib64"):
        (root / "lib64").symlink_to("lib")
    configuration = root / "pyvenv.cfg"
    rows = [line.partition("=") for line in configuration.read_text(encoding="utf-8").splitlines()]
    said = {key.strip(): value.strip() for key, equals, value in rows if equals}
    version = _VERSION.search(said.get("version_info", ""))
    lines = [f"home = {said['home']}", "include-system-site-packages = false"]
    configuration.write_text(
        "".join(f"{line}\n" for line in [*lines, *([f"version = {version[0]}"] if version else [])]),
        encoding="utf-8",
        newline="\n",
    )


def finish_packages(layout: Layout, python: PurePath) -> None:
    """Write what installers write of each distribution; `python` is the interpreter as its programs will find it."""
    _remove(layout.root / ".lock")
    for folder in sorted(layout.site_packages.glob("*.dist-info")):
        if (folder / "RECORD").is_file():
            (folder / "INSTALLER").write_text(f"{INSTALLER}\n", encoding="utf-8", newline="\n")
            written = {folder / "INSTALLER"}
            if os.name != "nt":
                written |= set(_write_programs(folder, layout, python))
            _write_record(folder, layout, written)


def first_lines(python: PurePath) -> bytes:
    """The lines that let the kernel start a script with a Python, however long its path is."""
    path = os.fsencode(str(python))
    if len(path) + 2 <= LONGEST_FIRST_LINE and b" " not in path:
        return b"#!" + path + b"\n"
    quoted = b"'\"'\"'".join(path.split(b"'"))
    return b"#!/bin/sh\n'''exec' '" + quoted + b"' \"$0\" \"$@\"\n' '''\n"


def _write_programs(folder: Path, layout: Layout, python: PurePath) -> Iterator[Path]:
    """Write the programs of a distribution's entry points, and the first lines of its other scripts."""
    entries = {each.name: each for each in PathDistribution(folder).entry_points if each.group in SCRIPTS}
    listed = {PurePath(path).name for path, *_ in _rows(folder) if _in_programs(path)}
    for name in sorted(listed & entries.keys()):
        program = layout.programs / name
        program.write_bytes(first_lines(python) + _program(entries[name]).encode())
        yield program
    for name in sorted(listed - entries.keys()):
        script = layout.programs / name
        content = script.read_bytes()
        body = _without_first_lines(content, layout)
        if body is not None:
            script.write_bytes(first_lines(python) + body)
            yield script


def _program(entry: EntryPoint) -> str:
    return PROGRAM.format(module=entry.module, name=entry.attr.partition(".")[0], attribute=entry.attr)


def _without_first_lines(content: bytes, layout: Layout) -> bytes | None:
    """A script without the lines by which an installer starts it with the environment's Python; None if it has none."""
    shell = _SHELL_LINES.match(content)
    if shell:
        return content[shell.end() :]
    line, newline, body = content.partition(b"\n")
    ours = (os.fsencode(str(layout.programs)), os.fsencode(sys.executable))
    return body if newline and line.startswith(b"#!") and any(each in line for each in ours) else None


def _write_record(folder: Path, layout: Layout, written: set[Path]) -> None:
    """RECORD in one order, without bytecode, with the hashes of what was written here."""
    rows: dict[str, list[str]] = {}
    for path, *facts in _rows(folder):
        if path.endswith(".pyc"):
            continue
        place = layout.programs / PurePath(path).name if _in_programs(path) else layout.site_packages / path
        name = os.path.relpath(place, layout.site_packages).replace(os.sep, "/")
        rows[name] = _facts(place) if Path(os.path.normpath(place)) in written else facts
    record = folder / "RECORD"
    record.chmod(record.stat().st_mode & ~0o111)  # some wheels have it as a program, which uv keeps
    with record.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([name, *facts] for name, facts in sorted(rows.items()))


def _facts(path: Path) -> list[str]:
    """A file's hash (urlsafe base64 of SHA-256 without padding) and size, as RECORD has them."""
    content = path.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return [f"sha256={digest}", str(len(content))]


def _rows(folder: Path) -> list[list[str]]:
    with (folder / "RECORD").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file) if row]


def _in_programs(path: str) -> bool:
    """Whether a row of RECORD is for a program: pip writes another number of `..` for a plain folder than uv."""
    return PurePath(path).parent.name in ("bin", "Scripts") and path.startswith(("../", "bin/"))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
