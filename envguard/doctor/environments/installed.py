"""Read any environment of a user without running anything in it: its Python, its distributions, their files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from envguard.doctor.environments.distribution import Distribution, read_distributions
from envguard.doctor.environments.reading import entries, files_below, text
from envguard.errors import BadInput
from envguard.host.discovery import examine
from envguard.host.interpreters import Interpreter
from envguard.host.locations import PossibleInterpreter

Kind = Literal["virtual", "conda", "system"]

NATIVE = re.compile(r".+\.(so(\.[0-9.]+)?|dylib|pyd|dll)")
_PROGRAMS = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")
_MOST_LINKS = 10


@dataclass(frozen=True)
class InstalledEnvironment:
    """An environment's folder and Python, the interpreter behind it, and the contents of its site-packages folders.

    `kind` tells a virtual environment from a conda prefix and from a Python's own installation; `settings` are those
    in pyvenv.cfg. `further` are distributions that can be imported as well but are not its own.
    """

    root: Path
    python: Path
    interpreter: Interpreter
    kind: Kind
    settings: Mapping[str, str]
    site_packages: tuple[Path, ...]
    distributions: tuple[Distribution, ...]
    further: tuple[Distribution, ...] = field(default=())

    @property
    def minor(self) -> str:
        """`3.11`."""
        return ".".join(map(str, self.interpreter.version[:2]))

    @property
    def sees_system(self) -> bool:
        """Whether a virtual environment also sees the packages of the Python that it was made with."""
        return self.settings.get("include-system-site-packages", "").lower() == "true"

    @property
    def standard_library(self) -> Path:
        """The folder of the standard library."""
        base = Path(self.interpreter.facts.base_prefix)
        return base / "Lib" if self.interpreter.facts.os_name == "nt" else base / "lib" / f"python{self.minor}"

    @property
    def programs(self) -> Path:
        """The folder of the environment's commands."""
        return self.python.parent

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file in its site-packages folders."""
        return tuple(path for folder in self.site_packages for path in files_below(folder))

    @cached_property
    def owners(self) -> Mapping[str, Distribution]:
        """The distribution that lists each file, by the file's path."""
        return {
            os.path.normpath(each.folder.parent / listed.path): each
            for each in self.distributions
            for listed in each.files
        }

    def native_modules(self) -> Iterator[Path]:
        """Every shared library in its site-packages folders, each once."""
        seen: set[tuple[int, int]] = set()
        for path in self.files:
            if not NATIVE.fullmatch(path.name):
                continue
            try:
                status = path.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield path


def read_environment(python: Path) -> InstalledEnvironment:
    """Read the environment whose interpreter or folder is `python`; raises BadInput if there is none.

    Only the interpreter itself is started, isolated and without its site-packages, to identify it.
    """
    program = program_of(python)
    facts = examine([PossibleInterpreter("named", program)], {}, cache=None)
    if not facts.interpreters:
        why = facts.broken[0].reason if facts.broken else "the file does not exist"
        raise BadInput(
            f"{program} is not a working Python.", why=why, next_step="`envguard probe` lists the Pythons on this host."
        )
    interpreter = facts.interpreters[0]
    root, settings = program.parent.parent, settings_of(program)
    kind: Kind = "virtual" if settings is not None else "system"
    base = Path(interpreter.facts.base_prefix)
    if settings is None:
        root = base
        kind = "conda" if (root / "conda-meta").is_dir() else "system"
    folders = tuple(site_packages_of(root, interpreter))
    found = tuple(each for folder in folders for each in read_distributions(folder))
    own = InstalledEnvironment(root, program, interpreter, kind, settings or {}, folders, found)
    if not own.sees_system or root == base:
        return own
    further = tuple(each for folder in site_packages_of(base, interpreter) for each in read_distributions(folder))
    return InstalledEnvironment(root, program, interpreter, kind, settings or {}, folders, found, further)


def canonical(name: str) -> str:
    """The name in the form that PEP 503 compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def program_of(python: Path) -> Path:
    """The interpreter that a user named by itself or by its environment's folder; a link that leads to nothing counts.

    Raises BadInput for a folder without one.
    """
    program = python.absolute()
    if program.is_dir():
        found = [program / name for name in _PROGRAMS if os.path.lexists(program / name)]
        if not found:
            raise BadInput(
                f"{python} contains no Python.", next_step="Name the environment's folder or its interpreter."
            )
        program = found[0]
    # A link elsewhere to an environment's Python stands for that environment.
    for _ in range(_MOST_LINKS):
        if settings_of(program) is not None or not program.is_symlink():
            break
        target = program.parent / program.readlink()
        if settings_of(target) is None and not target.is_symlink():
            break
        program = Path(os.path.normpath(target))
    return program


def settings_of(program: Path) -> Mapping[str, str] | None:
    """What the pyvenv.cfg of an interpreter's environment says; None if it belongs to no virtual environment."""
    for folder in (program.parent.parent, program.parent):
        file = folder / "pyvenv.cfg"
        if file.is_file():
            rows = (line.partition("=") for line in text(file).splitlines())
            return {key.strip().lower(): value.strip() for key, sign, value in rows if sign}
    return None


def site_packages_of(root: Path, interpreter: Interpreter) -> Iterator[Path]:
    """The folders of a root in which that interpreter looks for packages, first that of what comes first."""
    version = ".".join(map(str, interpreter.version[:2]))
    folder_name = f"python{version}{'t' if interpreter.facts.free_threaded else ''}"
    if interpreter.implementation == "pypy":
        folder_name = f"pypy{version}"
    names = [f"lib/{folder_name}/site-packages", f"lib64/{folder_name}/site-packages", "Lib/site-packages"]
    if root == Path("/usr"):  # Debian's own
        names = [f"local/lib/{folder_name}/dist-packages", "lib/python3/dist-packages", *names]
    seen = set()
    for name in names:
        folder = root / name
        if folder.is_dir() and folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder


def modules_in(folder: Path) -> dict[str, Path]:
    """The modules and packages that can be imported from a folder, by name; folders without code are none."""
    found: dict[str, Path] = {}
    for row in entries(folder):
        name, _, suffix = row.name.partition(".")
        if not name.isidentifier() or name.startswith("__"):
            continue
        if suffix == "py" or suffix.endswith(("so", "pyd")):
            found.setdefault(name, Path(row.path))
        elif not suffix and Path(row.path, "__init__.py").is_file():
            found[name] = Path(row.path)
    return found
