"""Where a host keeps interpreters: PATH, and the folders of version managers and installers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.host.registry import registered_interpreters

_NAME = re.compile(r"(python|pypy|graalpy)(\d+(\.\d+)?)?[td]?(\.exe)?", re.IGNORECASE)

# Where an installation has its interpreter; older ones of uv have an `install` folder.
_IN_INSTALLATION = (
    "bin/python3",
    "bin/python",
    "python.exe",
    "bin/pypy3",
    "bin/pypy",
    "pypy3.exe",
    "bin/graalpy",
    "install/bin/python3",
    "install/python.exe",
)


STORE = "envguard's store"
FETCHED = "envguard-fetched"


@dataclass(frozen=True, slots=True)
class PossibleInterpreter:
    """A file that may be an interpreter, and where it was found.

    A `shim` is a version manager's stand-in, which starts whatever version is active, if any.
    """

    place: str
    path: Path
    shim: bool = False


def possible_interpreters(
    environ: Mapping[str, str],
    home: Path,
    *,
    fetched: Path | None = None,
    root: Path = Path("/"),
    system: str = sys.platform,
) -> Iterator[PossibleInterpreter]:
    """Every file on this host with the name and location of an interpreter, PATH first; nothing is started.

    `fetched` is the folder of those that envguard has fetched, each of which has the file `FETCHED` when it is whole.
    `root` is where system folders are looked for, `system` the value of `sys.platform` to follow. Relative folders in
    PATH are skipped: they would let the current folder choose what is run.
    """
    folders = _path_folders(environ, system)
    for folder in folders:
        yield from _programs("PATH", folder, root, system)
    for installation in _installations(fetched) if fetched else ():
        if (installation / FETCHED).is_file():
            yield PossibleInterpreter(STORE, _interpreter_of(installation) or installation / _default_name(system))
    for place, store in _stores(environ, home, folders, system):
        for installation in _installations(store):
            yield PossibleInterpreter(place, _interpreter_of(installation) or installation / _default_name(system))
    for place, installation in [*_conda(environ, home, root), *_frameworks(home, root, system)]:
        interpreter = _interpreter_of(installation)
        if interpreter is not None:
            yield PossibleInterpreter(place, interpreter)
    for path in registered_interpreters():
        yield PossibleInterpreter("registry", path)
    for place, folder in _system_folders(environ, root, system):
        yield from _programs(place, folder, root, system)


def is_shim_folder(folder: Path) -> bool:
    """Whether version managers (pyenv, asdf, mise, rye, scoop) keep their shims here."""
    return folder.name == "shims"


def is_named_like_interpreter(path: Path) -> bool:
    """Whether a file is called `python`, `python3.11`, `pypy3`, `python3.13t` or the like."""
    return _NAME.fullmatch(path.name) is not None


def virtual_environment_of(path: Path) -> Path | None:
    """The virtual environment (PEP 405) that a program is in, or None."""
    for folder in (path.parent, path.parent.parent):
        if (folder / "pyvenv.cfg").is_file():
            return folder
    return None


def _path_folders(environ: Mapping[str, str], system: str) -> list[Path]:
    entries = environ.get("PATH", "").split(";" if system == "win32" else ":")
    return list(dict.fromkeys(Path(entry) for entry in entries if Path(entry).is_absolute()))


def _programs(place: str, folder: Path, root: Path, system: str) -> Iterator[PossibleInterpreter]:
    if system == "darwin" and folder == root / "usr/bin":
        return  # Apple's stub opens a dialogue; the Python it stands for is found among the frameworks.
    for name in _names(folder):
        if _NAME.fullmatch(name):
            yield PossibleInterpreter(place, folder / name, shim=is_shim_folder(folder))


def _names(folder: Path) -> list[str]:
    """The names in a folder, sorted; empty if it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - a Path for each of a thousand programs takes 10 ms
    except OSError:
        return []


def _entries(folder: Path) -> list[Path]:
    return [folder / name for name in _names(folder)]


def _installations(store: Path) -> Iterator[Path]:
    """The installations in a version manager's store, without its own links between them (`3.11` → `3.11.7`)."""
    for entry in _entries(store):
        if entry.name.startswith(".") or not entry.is_dir():
            continue
        if entry.is_symlink() and entry.resolve().is_relative_to(store.resolve()):
            continue
        yield entry


def _interpreter_of(installation: Path) -> Path | None:
    for name in _IN_INSTALLATION:
        if os.path.lexists(installation / name):
            return installation / name
    return None


def _default_name(system: str) -> str:
    return "python.exe" if system == "win32" else "bin/python3"


def _stores(
    environ: Mapping[str, str], home: Path, path_folders: list[Path], system: str
) -> Iterator[tuple[str, Path]]:
    """Folders whose subfolders are installations."""
    data = _folder(environ, "XDG_DATA_HOME") or home / ".local/share"
    roots = [_folder(environ, "PYENV_ROOT"), _folder(environ, "PYENV"), home / ".pyenv", home / ".pyenv/pyenv-win"]
    # A manager that was set up by PATH alone still shows where its store is: next to its shims.
    roots += [folder.parent for folder in path_folders if is_shim_folder(folder)]
    for pyenv in _distinct(roots):
        yield "pyenv", pyenv / "versions"
    named = _folder(environ, "UV_PYTHON_INSTALL_DIR")
    uv = [named] if named else [data / "uv/python"]
    if system == "win32" and not named:
        uv = [(_folder(environ, "APPDATA") or home / "AppData/Roaming") / "uv/python"]
    for store in uv:
        yield "uv", store
    asdf = [_folder(environ, "ASDF_DATA_DIR"), home / ".asdf"]
    mise = [_folder(environ, "MISE_DATA_DIR"), data / "mise"]
    for name, managers in (("asdf", asdf), ("mise", mise)):
        for manager in _distinct(managers):
            yield name, manager / "installs/python"


def _conda(environ: Mapping[str, str], home: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Conda's installations and environments, each with its own Python or none."""
    executable = _folder(environ, "CONDA_EXE")
    named = [
        _folder(environ, "CONDA_PREFIX"),
        _folder(environ, "MAMBA_ROOT_PREFIX"),
        executable.parent.parent if executable else None,
    ]
    names = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda")
    usual = [home / name for name in names] + [root / "opt/conda", root / "opt/miniconda3"]
    for prefix in _distinct(named + usual + _recorded_conda_environments(home)):
        yield "conda", prefix
        for environment in _entries(prefix / "envs"):
            yield "conda", environment


def _recorded_conda_environments(home: Path) -> list[Path | None]:
    """Conda's own list of environments that the user created elsewhere."""
    try:
        text = (home / ".conda/environments.txt").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    return [Path(line) for line in text.splitlines() if Path(line).is_absolute()]


def _frameworks(home: Path, root: Path, system: str) -> Iterator[tuple[str, Path]]:
    """What macOS has in addition: the installers' frameworks, and the Python of Apple's developer tools."""
    if system != "darwin":
        return
    for library in (home / "Library", root / "Library"):
        for version in _installations(library / "Frameworks/Python.framework/Versions"):
            yield "framework", version
    yield "Xcode", root / "Library/Developer/CommandLineTools/usr"
    yield "Xcode", root / "Applications/Xcode.app/Contents/Developer/usr"


def _system_folders(environ: Mapping[str, str], root: Path, system: str) -> Iterator[tuple[str, Path]]:
    """Folders of programs to search even if PATH does not name them."""
    prefixes = [root / "opt/homebrew", root / "home/linuxbrew/.linuxbrew"]
    if system == "darwin":
        prefixes.append(root / "usr/local")
    for prefix in _distinct([_folder(environ, "HOMEBREW_PREFIX"), *prefixes]):
        yield "homebrew", prefix / "bin"
        for formula in _entries(prefix / "opt"):
            if formula.name.startswith("python@"):
                yield "homebrew", formula / "bin"
    for name in ("usr/local/bin", "usr/bin", "bin"):
        yield "system", root / name
    # /opt/python3.12/bin, and /opt/python/cp312-cp312/bin in the images used to build wheels.
    for folder in _entries(root / "opt"):
        if folder.name.lower().startswith("python"):
            for installation in (folder, *_entries(folder)):
                yield "system", installation / "bin"


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    """The folder that a variable names; like the managers themselves, this ignores relative ones."""
    value = environ.get(name, "")
    return Path(value) if value and Path(value).is_absolute() else None


def _distinct(folders: list[Path | None]) -> list[Path]:
    return list(dict.fromkeys(folder for folder in folders if folder is not None))
