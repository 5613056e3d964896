"""Read any environment of a user without running anything in it: its Python, its distributions, their files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from envguard.errors import BadInput
from envguard.host.discovery import examine
from envguard.host.interpreters import Interpreter
from envguard.host.locations import PossibleInterpreter
from envguard.store.records import ListedFile, listed_files

NATIVE = re.compile(r".+\.(so(\.[0-9.]+)?|dylib|pyd|dll)")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution: its `.dist-info` folder and what that contains.

    `requires` are its requirements and `tags` its wheel's tags, as written; `files` are those it lists, empty if its
    RECORD is missing or damaged: then `recorded` is False.
    """

    name: str
    version: str
    folder: Path
    requires: tuple[str, ...]
    tags: tuple[str, ...]
    files: tuple[ListedFile, ...]
    recorded: bool

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class InstalledEnvironment:
    """An environment's folder and Python, the interpreter behind it, and the contents of its site-packages folders."""

    root: Path
    python: Path
    interpreter: Interpreter
    site_packages: tuple[Path, ...]
    distributions: tuple[Distribution, ...]

    def native_modules(self) -> Iterator[Path]:
        """Every shared library in its site-packages folders, each once."""
        seen: set[Path] = set()
        for folder in self.site_packages:
            for path in sorted(folder.rglob("*.*")):
                if NATIVE.fullmatch(path.name) and path.is_file() and path.resolve() not in seen:
                    seen.add(path.resolve())
                    yield path


def read_environment(python: Path) -> InstalledEnvironment:
    """Read the environment whose interpreter or folder is `python`; raises BadInput if there is none.

    Only the interpreter itself is started, isolated and without its site-packages, to identify it.
    """
    program = _interpreter_in(python) if python.is_dir() else python
    facts = examine([PossibleInterpreter("named", program)], {}, cache=None)
    if not facts.interpreters:
        why = facts.broken[0].reason if facts.broken else "the file does not exist"
        raise BadInput(
            f"{program} is not a working Python.", why=why, next_step="`envguard probe` lists the Pythons on this host."
        )
    interpreter = facts.interpreters[0]
    root = program.absolute().parent.parent
    folders = tuple(_site_packages(root, interpreter))
    found = tuple(_distribution(each) for folder in folders for each in sorted(folder.glob("*.dist-info")))
    return InstalledEnvironment(root, program.absolute(), interpreter, folders, found)


def canonical(name: str) -> str:
    """The name in the form that PEP 503 compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _interpreter_in(folder: Path) -> Path:
    for name in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
        if (folder / name).exists():
            return folder / name
    raise BadInput(f"{folder} contains no Python.", next_step="Name the environment's folder or its interpreter.")


def _site_packages(root: Path, interpreter: Interpreter) -> Iterator[Path]:
    version = ".".join(map(str, interpreter.version[:2]))
    names = [f"lib/python{version}/site-packages", f"lib64/python{version}/site-packages", "Lib/site-packages"]
    if root == Path("/usr"):  # Debian's own
        names += ["lib/python3/dist-packages", f"local/lib/python{version}/dist-packages"]
    seen = set()
    for name in names:
        folder = root / name
        if folder.is_dir() and folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder


def _distribution(folder: Path) -> Distribution:
    metadata = HeaderParser().parsestr(_text(folder / "METADATA"))
    wheel = HeaderParser().parsestr(_text(folder / "WHEEL"))
    name, _, version = folder.name.removesuffix(".dist-info").partition("-")
    try:
        files, recorded = listed_files(folder / "RECORD"), True
    except (OSError, ValueError):
        files, recorded = (), False
    return Distribution(
        name=canonical(metadata["Name"] or name),
        version=metadata["Version"] or version,
        folder=folder,
        requires=tuple(metadata.get_all("Requires-Dist") or ()),
        tags=tuple(wheel.get_all("Tag") or ()),
        files=files,
        recorded=recorded,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
