"""Which files a package of the project's own is made of, told from its settings, and one hash over them.

Nothing of the package runs for it, no version control is asked, and what lies beside it (data, outputs, tests) does not
count: settings, `src`, packages and modules do, and whatever the settings name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.catalog.own_packages import PYPROJECT, settings_of
from envguard.code_files import PYVENV
from envguard.files import file_facts, folder_facts

SETTINGS = ("setup.py", "setup.cfg", "MANIFEST.in", "CMakeLists.txt", "meson.build", "Cargo.toml", "Cargo.lock")
LARGEST_SETTINGS = 1_000_000
ABOUT = re.compile(r"(readme|licen[cs]e|copying|notice|authors)\b.*", re.IGNORECASE)
# Made by builds, by envguard, or by others that keep environments.
NEVER = ("build", "dist", "lockfiles", "node_modules", "__pycache__")
MOST_FILES = 20_000
# Rarely part of what is installed, though they may look like packages.
ASIDE = ("test", "tests", "doc", "docs", "example", "examples", "bench", "benchmarks")
# Tables of tools that have no part in a build.
OTHER_TOOLS = (
    "pytest",
    "ruff",
    "mypy",
    "coverage",
    "black",
    "isort",
    "tox",
    "nox",
    "pylint",
    "pyright",
    "uv",
    "envguard",
)
WORD = re.compile(r"[\w.+-]+")
# Compiled modules as builds name them, for one Python and platform: results, never sources.
COMPILED = re.compile(r".+\.(?:cpython-\w+(?:-\w+)*|abi3|cp3\w+-\w+)\.(?:so|pyd)")
READ_AT_ONCE = (".py", ".pyi", ".typed")
"""Files that an editable installation reads where they lie; a change to any other may need another build."""


@dataclass(frozen=True, slots=True)
class OwnCode:
    """The own code that an environment is made with: the SHA-256 in hex of each package's sources, by its path.

    `editable` is the project's folder if Python reads the code there; then only what needs another build counts.
    """

    sources: tuple[tuple[str, str], ...] = ()
    editable: str = ""

    def __str__(self) -> str:
        if not self.sources:
            return ""
        where = f"editable in {self.editable}" if self.editable else "wheels"
        return f"{where}: {' '.join(f'{path}={digest}' for path, digest in self.sources)}"


NO_CODE = OwnCode()


def sources_in(folder: Path) -> list[Path]:
    """The files that the package in a folder is made of, in order; raises ValueError or OSError.

    Links that lead out of it, or to folders, are refused: a project that nobody trusts yet is read too.
    """
    named, root = _named(folder), folder.resolve()
    found = list(itertools.islice((file for path in folder.iterdir() for file in _of(path, named, root)), MOST_FILES))
    if len(found) == MOST_FILES:
        raise ValueError(f"its package has {MOST_FILES:,} files or more")
    return sorted(found)


def settled_in(folder: Path) -> list[Path]:
    """Those of the files in which a change needs another build of an editable installation."""
    return [each for each in sources_in(folder) if each.parent == folder or each.suffix not in READ_AT_ONCE]


def digest_of(folder: Path, files: Iterable[Path]) -> str:
    """One hash over the names of files in a folder and their contents."""
    return folder_facts(folder, map(file_facts, files)).sha256


def _of(path: Path, named: frozenset[str], root: Path) -> Iterator[Path]:
    name = path.name
    if path.is_dir():
        if name == "src" or name in named or (name not in ASIDE and _holds_package(path)):
            yield from _below(path, root)
    elif name in (PYPROJECT, *SETTINGS) or name in named or path.suffix == ".py" or ABOUT.fullmatch(name):
        yield from _below(path, root)


def _below(path: Path, root: Path) -> Iterator[Path]:
    """A file, or all files of a folder, but for what builds, editors and environments leave there."""
    name = path.name
    if name.startswith(".") or name in NEVER or name.endswith(".egg-info") or COMPILED.fullmatch(name):
        return
    if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(root)):
        raise ValueError(f"{path} is a link that leads to a folder, or out of the package")
    if path.is_dir():
        if not (path / PYVENV).exists():
            for each in path.iterdir():
                yield from _below(each, root)
    elif path.is_file():
        yield path


def _holds_package(folder: Path) -> bool:
    """Whether it is a package, or one without `__init__.py` that holds some."""
    inner = [each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")]
    return any((each / "__init__.py").is_file() for each in (folder, *inner))


def _named(folder: Path) -> frozenset[str]:
    """Every word in the settings that may be the name of a file or folder."""
    texts = list(_texts(_without_other_tools(settings_of(folder))))
    for path in (folder / name for name in SETTINGS):
        if path.is_file() and path.stat().st_size <= LARGEST_SETTINGS:
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
    return frozenset(word for each in texts for word in WORD.findall(each))


def _without_other_tools(settings: Mapping[str, object]) -> Mapping[str, object]:
    tools = settings.get("tool")
    kept = {k: v for k, v in tools.items() if k not in OTHER_TOOLS} if isinstance(tools, Mapping) else {}
    return {**settings, "tool": kept, "dependency-groups": {}}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (str(key), *_texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
