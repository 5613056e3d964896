"""Check the Python that an environment stands on: gone, replaced by another, or without a part of itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from envguard.doctor.environments.curing import Surroundings, Tools, typed, uv_for
from envguard.doctor.environments.distribution import Distribution, read_distributions
from envguard.doctor.environments.elf import read_elf
from envguard.doctor.environments.installed import InstalledEnvironment, program_of, settings_of
from envguard.doctor.environments.reading import entries
from envguard.doctor.finding import Finding
from envguard.host.linker import find_library

# What is missing unless its headers were there when this Python was built, and what then fails.
PARTS = {
    "_ssl": ("https, and so pip", "libssl-dev"),
    "zlib": ("zip files, and so pip", "zlib1g-dev"),
    "_ctypes": ("ctypes, and so NumPy, PyTorch and many others", "libffi-dev"),
    "_sqlite3": ("sqlite3, and so Jupyter and NLTK", "libsqlite3-dev"),
    "_lzma": ("lzma, and so pandas and torchvision", "liblzma-dev"),
    "_bz2": ("bz2, and so pandas and torchvision", "libbz2-dev"),
}
_MINOR = re.compile(r"python(3\.\d+)t?")
_MANY_MODULES = 20


def gone(python: Path, around: Surroundings, why: str) -> Finding | None:
    """What is to be said of a virtual environment whose Python does not start; None if it is none."""
    program = program_of(python)
    settings = settings_of(program)
    if settings is None:
        return None
    root = program.parent.parent
    minor = next((found[1] for row in entries(root / "lib") if (found := _MINOR.fullmatch(row.name))), "")
    folder = root / "lib" / f"python{minor}" / "site-packages"
    home = settings.get("home", "")
    return Finding(
        "base Python",
        "finding",
        "The Python that this environment was made with is gone or does not start",
        f"{root / 'pyvenv.cfg'} names {home or 'none'}; {why}",
        f"give the environment another Python {minor}; its packages stay",
        _revived(root, minor, settings.get("include-system-site-packages") == "true", folder, around),
    )


def _revived(root: Path, minor: str, sees_system: bool, packages: Path, around: Surroundings) -> tuple[str, ...]:
    """Make the same environment with another Python of the minor: venv leaves what is in its folder alone."""
    links = [root / "bin" / name for name in ("python", "python3", f"python{minor}")]
    base, uv = _working(minor, root, around), uv_for(around)
    options = ["--system-site-packages"] if sees_system else []
    if base:
        has_pip = any(each.name == "pip" for each in read_distributions(packages))
        options += [] if has_pip else ["--without-pip"]
        return (typed("rm", "-f", *links), typed(base, "-m", "venv", *options, root))
    if not uv:
        return ()
    return (
        f"{uv} python install {minor}",
        typed("rm", "-f", *links),
        f"{uv} venv --allow-existing --python {minor} {typed(*options, root)}",
    )


def _working(minor: str, not_in: Path, around: Surroundings) -> str:
    """A Python of that minor on PATH or where pyenv has them, none of a virtual environment; empty if none is."""
    name = f"python{minor}"
    found = [shutil.which(name, path=folder) for folder in around.environ.get("PATH", "").split(":") if folder]
    pyenv = Path(around.environ.get("PYENV_ROOT") or around.home / ".pyenv", "versions")
    found += [str(path) for path in sorted(pyenv.glob(f"{minor}.*/bin/{name}"))]
    for each in filter(None, found):
        real = Path(each).resolve()
        is_shim = Path(each).parent.name == "shims"
        if real.exists() and not is_shim and not real.is_relative_to(not_in) and settings_of(Path(each)) is None:
            return each
    return ""


def replaced(environment: InstalledEnvironment) -> Iterator[Finding]:
    """A virtual environment whose Python became another minor, or whose packages stayed."""
    others = [
        Path(row.path, "site-packages")
        for row in entries(environment.root / "lib")
        if _MINOR.fullmatch(row.name) and row.name.rstrip("t") != f"python{environment.minor}"
    ]
    lost = [each for folder in others for each in read_distributions(folder) if each.of_pip]
    if environment.kind == "virtual" and not environment.site_packages and not lost:
        yield Finding(
            "base Python",
            "finding",
            "The environment has no folder for packages: all of them are gone",
            f"there is no {environment.root / 'lib' / f'python{environment.minor}' / 'site-packages'}",
            "make it anew, then install what you need",
            (typed(environment.interpreter.path, "-m", "venv", "--clear", environment.root),),
        )
    if environment.kind == "virtual" and lost and not _packages(environment):
        yield Finding(
            "base Python",
            "finding",
            f"The environment's packages are for another Python than its own, which is {environment.minor} now",
            f"{len(lost)} packages are in {lost[0].folder.parent}",
            "make it anew with the Python that it has now, and install the same versions",
            (
                typed(environment.interpreter.path, "-m", "venv", "--clear", environment.root),
                typed(
                    environment.root / "bin" / "python",
                    "-m",
                    "pip",
                    "install",
                    *(each.pinned for each in _wanted(lost)),
                ),
            ),
        )


def _packages(environment: InstalledEnvironment) -> list[Distribution]:
    return _wanted(environment.distributions)


def _wanted(distributions: tuple[Distribution, ...] | list[Distribution]) -> list[Distribution]:
    return [each for each in distributions if each.name not in ("pip", "setuptools", "wheel")]


def without_settings(python: Path, environment: InstalledEnvironment) -> Iterator[Finding]:
    """A virtual environment without its pyvenv.cfg: its Python does not know that it belongs to it."""
    program = python.absolute() / "bin" / "python" if python.is_dir() else python.absolute()
    root = program.parent.parent
    if (program.parent / "activate").is_file() and settings_of(program) is None and environment.kind == "system":
        has_pip = any((root / "lib").glob("python3*/site-packages/pip/__init__.py"))
        options = () if has_pip else ("--without-pip",)
        yield Finding(
            "pyvenv.cfg",
            "finding",
            "The environment has lost its pyvenv.cfg, so its Python sees none of its packages",
            str(root / "pyvenv.cfg"),
            "make it once more over what is there; its packages stay",
            (typed(environment.interpreter.path, "-m", "venv", *options, root),),
        )


def incomplete(environment: InstalledEnvironment, tools: Tools, around: Surroundings) -> Iterator[Finding]:
    """Modules of the standard library that this Python cannot import; tkinter, which few need, is a note."""
    missing = [name for name in environment.interpreter.facts.missing_modules if name in PARTS]
    if missing:
        yield Finding(
            "base Python",
            "finding",
            f"Python's own {', '.join(missing)} cannot be imported",
            "; ".join(f"{each}: {_why(environment, each)}" for each in missing)
            + f"; without: {'; '.join(PARTS[each][0] for each in missing)}",
            "use a complete Python: install the same packages in an environment of one that has all its parts",
            _elsewhere(environment, tools, around),
        )
    if _without_tkinter(environment):
        debian = environment.standard_library.parent == Path("/usr/lib")
        yield Finding(
            "base Python",
            "note",
            "Python's own tkinter is not there; matplotlib and others do without it, or use Qt",
            str(environment.standard_library / "tkinter"),
            "apt-get install python3-tk" if debian else "use a Python that was built with Tk",
        )


def _why(environment: InstalledEnvironment, name: str) -> str:
    """Why a module cannot be imported: not built, or a library of the system that is gone."""
    files = sorted((environment.standard_library / "lib-dynload").glob(f"{name}.*so"))
    if not files:
        return "it was not built"
    try:
        facts = read_elf(files[0])
    except (OSError, ValueError):
        facts = None
    lost = [soname for soname in facts.needed if not find_library(soname)] if facts else []
    return f"it needs {', '.join(lost)}, which this system does not have" if lost else "it does not load"


def _elsewhere(environment: InstalledEnvironment, tools: Tools, around: Surroundings) -> tuple[str, ...]:
    """The same packages in an environment of uv's own Python of the same minor, beside this one."""
    if not tools.uv:
        return ()
    new = (
        environment.root.with_name(f"{environment.root.name}-whole")
        if environment.kind == "virtual"
        else (around.cwd / ".venv")
    )
    wanted = [each.pinned for each in _packages(environment) if each.of_pip]
    made = f"{tools.uv} venv --managed-python --python {environment.minor} {typed(new)}"
    if not wanted:
        return (made,)
    return (made, f"{tools.uv} pip install --python {typed(new / 'bin' / 'python')} {typed(*wanted)}")


def _without_tkinter(environment: InstalledEnvironment) -> bool:
    built = {row.name.partition(".")[0] for row in entries(environment.standard_library / "lib-dynload")}
    return environment.kind != "conda" and len(built) > _MANY_MODULES and "_tkinter" not in built
