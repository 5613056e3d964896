"""Find modules that hide an environment's own: files beside the user's scripts, packages of the user, PYTHONPATH."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from envguard.doctor.environments.curing import Surroundings, Tools, typed
from envguard.doctor.environments.distribution import read_distributions
from envguard.doctor.environments.installed import InstalledEnvironment, modules_in
from envguard.doctor.finding import Finding, shown_of

_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg")
# Loaded before a script's folder is searched, or built into the program: nothing can hide them.
_LOADED = {
    *sys.builtin_module_names,
    *("abc", "codecs", "encodings", "genericpath", "importlib", "io", "ntpath", "os", "posixpath", "site", "stat"),
    *("zipimport", "runpy", "this", "antigravity", "test", "idlelib", "turtledemo", "lib2to3"),
}
_NOBODYS = {"bench", "benchmarks", "build", "conftest", "dist", "docs", "examples", "scripts", "setup", "src", "tests"}
_OTHER_PYTHON = re.compile(r"[/\\]python(3\.\d+)[/\\](?:site|dist)-packages")


def own_files(environment: InstalledEnvironment, around: Surroundings) -> Iterator[Finding]:
    """Files and packages in the current folder, or beside the environment, with the name of what they hide.

    A project's own package is not one: its folder has a pyproject.toml or setup.py.
    """
    theirs = _importable(environment)
    beside = [environment.root.parent] if environment.kind == "virtual" else []
    for folder in dict.fromkeys((around.cwd, *beside)):
        if folder in environment.site_packages or folder.is_relative_to(environment.standard_library):
            continue
        project = any((folder / name).is_file() for name in _PROJECT)
        for name, path in sorted(modules_in(folder).items()):
            if name not in theirs or (project and path.is_dir()) or path.suffix in (".so", ".pyd"):
                continue
            new = path.with_name(f"my_{path.name}")
            yield Finding(
                "own file",
                "finding",
                f"{path.name} hides {theirs[name]} from every program that is started in its folder",
                str(path),
                "rename it, and every import of it",
                (typed("mv", path, new),),
            )


def _importable(environment: InstalledEnvironment) -> dict[str, str]:
    """What can be imported, by the module's name, and what it is."""
    standard = {name: f"Python's own module {name}" for name in sys.stdlib_module_names if name[0] != "_"}
    installed = {
        name: f"the installed package {name}"
        for folder in environment.site_packages
        for name in modules_in(folder)
        if name[0] != "_"
    }
    return {name: what for name, what in {**installed, **standard}.items() if name not in _LOADED | _NOBODYS}


def user_packages(environment: InstalledEnvironment, tools: Tools, around: Surroundings) -> Iterator[Finding]:
    """Packages that `pip install --user` put into the home folder, where this environment sees them."""
    folder = _user_site(environment, around)
    if folder is None or not folder.is_dir():
        return
    theirs = {each.name: each for each in read_distributions(folder)}
    own = {each.name: each for each in (*environment.distributions, *environment.further)}
    hidden = [each for name, each in theirs.items() if name in own and own[name].version != each.version]
    modules = set(modules_in(folder)) - set(_LOADED)
    seen = {name for place in environment.site_packages for name in modules_in(place)}
    if environment.kind == "virtual":  # whose own packages come first
        hidden = [each for each in hidden if each.name in {further.name for further in environment.further}]
        seen = set()
    clash = sorted((modules & seen) - {"pip", "setuptools", "pkg_resources", "_distutils_hack"}) if not theirs else []
    if hidden or clash:
        named = [f"{each} hides {own[each.name].version}" for each in hidden] or clash
        commands = tools.uninstall([each.name for each in hidden]) if hidden else ()
        yield Finding(
            "user packages",
            "finding",
            f"{len(named)} packages in the home folder hide those of this environment",
            f"{shown_of(named)}; in {folder}",
            "remove them there, or keep them out with PYTHONNOUSERSITE=1 or `python -s`",
            commands if commands and environment.kind != "virtual" else ("export PYTHONNOUSERSITE=1",),
        )
    elif theirs:
        yield Finding(
            "user packages",
            "note",
            f"{len(theirs)} packages in the home folder can be imported here as well",
            f"{shown_of(sorted(map(str, theirs.values())))}; in {folder}",
            "PYTHONNOUSERSITE=1 or `python -s` keeps them out",
        )


def _user_site(environment: InstalledEnvironment, around: Surroundings) -> Path | None:
    """Where this Python looks for a user's packages; None if it does not."""
    if around.environ.get("PYTHONNOUSERSITE") or (environment.kind == "virtual" and not environment.sees_system):
        return None
    if environment.interpreter.facts.os_name == "nt":
        base = Path(around.environ.get("PYTHONUSERBASE") or Path(around.environ.get("APPDATA", around.home), "Python"))
        return base / f"Python{environment.minor.replace('.', '')}" / "site-packages"
    base = Path(around.environ.get("PYTHONUSERBASE") or around.home / ".local")
    return base / "lib" / f"python{environment.minor}" / "site-packages"


def python_path(environment: InstalledEnvironment, around: Surroundings) -> Iterator[Finding]:
    """Folders in PYTHONPATH that hide modules, or that belong to another Python."""
    own = {path.resolve() for path in environment.site_packages}
    for text in filter(None, around.environ.get("PYTHONPATH", "").split(os.pathsep)):
        folder = around.cwd / text
        if not folder.is_dir() or folder.resolve() in own:
            continue
        theirs = _importable(environment)
        hidden = sorted(name for name in modules_in(folder) if name in theirs)
        other = _OTHER_PYTHON.search(str(folder))
        foreign = bool(other and other[1] != environment.minor)
        if hidden or foreign:
            yield Finding(
                "PYTHONPATH",
                "finding",
                f"PYTHONPATH puts {text} before this environment's own packages"
                + (f", and that is for Python {other[1]}" if other and foreign else ""),
                f"it hides {shown_of(hidden)}" if hidden else str(folder),
                "unset it, here and in your shell's settings; `python -I` ignores it",
                ("unset PYTHONPATH",),
            )


def variables(around: Surroundings) -> Iterator[Finding]:
    """Variables with which no Python starts, or with which pip installs elsewhere."""
    elsewhere = {
        "PYTHONHOME": "makes this Python look for its own modules in another place, where it finds none or others",
        "PIP_TARGET": "makes pip install into a folder, and not into this environment",
        "PIP_PREFIX": "makes pip install into a folder, and not into this environment",
    }
    for name, what in elsewhere.items():
        if around.environ.get(name):
            remedy = "unset it, here and in your shell's settings"
            yield Finding("variables", "finding", f"{name} {what}", f"{name} is set", remedy, (f"unset {name}",))
