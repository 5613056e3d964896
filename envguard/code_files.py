"""Which files a script may import, or read as part of what it imports: modules, compiled ones too, and data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PAYLOAD = Path(__file__).resolve().parent / "payload" / "__main__.py"
"""What is started inside environments."""
PYVENV = "pyvenv.cfg"
CACHE = "__pycache__"
MODULES = frozenset({".py", ".pyc", ".so", ".pyd", ".dll", ".dylib"})
UNCHECKED = bytes((1, 0, 0, 0))
"""The flags of bytecode that is never compared with its source (PEP 552)."""


def code_beside(script: Path, project: Path) -> Iterator[Path]:
    """The script, and every file that it may import from its own folder or read there.

    A folder of its own for scripts is code as a whole. In the project's folder, where inputs and outputs lie too, only
    modules and packages are.
    """
    yield script
    folder = script.parent
    yield from code_below(folder, whole=folder.resolve() != project.resolve())


def code_below(folder: Path, *, whole: bool) -> Iterator[Path]:
    """Every file of a folder if it is code as a `whole`, else the modules and packages in it; links are followed.

    Left out are virtual environments, what begins with a dot, and bytecode that Python compares with its source.
    """
    yield from _below(folder, whole, set())


def _below(folder: Path, whole: bool, seen: set[Path]) -> Iterator[Path]:
    if folder.resolve() in seen or (folder / PYVENV).exists():
        return
    seen.add(folder.resolve())
    for path in folder.iterdir():
        if path.is_dir():
            if path.name == CACHE:
                yield from filter(_is_trusted_bytecode, path.iterdir())
            elif whole and not path.name.startswith("."):
                yield from _below(path, True, seen)
            elif path.name.isidentifier():
                yield from _below(path, _is_package(path), seen)
        elif path.is_file() and (path.suffix in MODULES or (whole and not path.name.startswith("."))):
            yield path


def _is_package(folder: Path) -> bool:
    return any((folder / f"__init__{suffix}").exists() for suffix in (".py", ".pyc"))


def _is_trusted_bytecode(path: Path) -> bool:
    if path.suffix != ".pyc" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8)[4:] == UNCHECKED
