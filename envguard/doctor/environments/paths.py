"""Check what leads Python to code elsewhere: .pth files, editable installs, and what pip left half removed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from envguard.doctor.environments.curing import Surroundings, Tools, typed
from envguard.doctor.environments.distribution import Distribution
from envguard.doctor.environments.installed import InstalledEnvironment, canonical, modules_in
from envguard.doctor.environments.reading import content, entries, text
from envguard.doctor.finding import Finding, shown_of
from envguard.toml import parse_toml

LARGEST = 1 << 20
_NAMED = re.compile(r"^\s*name\s*=\s*[\"']?([\w.-]+)", re.MULTILINE)
_MAPPING = re.compile(r"^MAPPING(?::[^=]*)?\s*=\s*(\{.*\})\s*$", re.MULTILINE)
_NAMED_IN_METADATA = re.compile(r"^Name:\s*([\w.-]+)\s*$", re.MULTILINE)
_REMOVED = re.compile(r"~(?P<rest>.*?)(?:-(?P<version>[^-]+)\.(?:dist|egg)-info)?")


def moved_sources(environment: InstalledEnvironment, tools: Tools, around: Surroundings) -> Iterator[Finding]:
    """Editable installs whose folder is gone."""
    for distribution in environment.distributions:
        gone = next((folder for folder in _folders_of(distribution) if not folder.exists()), None)
        if gone is None:
            continue
        now = _moved_to(distribution, around)
        yield Finding(
            "editable",
            "finding",
            f"{distribution} is installed from a folder that was moved or deleted",
            f"{gone} does not exist",
            f"install it again from where it is now: {now}" if now else "install it from its new folder, or remove it",
            tools.install([str(now)], editable=True) if now else tools.uninstall([distribution.name]),
        )
    for folder in environment.site_packages:
        for row in entries(folder):
            place = text(Path(row.path)).partition("\n")[0].strip() if row.name.endswith(".egg-link") else ""
            if place and not (folder / place).exists():
                name = canonical(row.name.removesuffix(".egg-link"))
                yield Finding(
                    "editable",
                    "finding",
                    f"{name} is installed from a folder that was moved or deleted",
                    f"{place} does not exist",
                    "remove the link, and install it from its new folder",
                    (typed("rm", row.path),),
                )


def _folders_of(distribution: Distribution) -> Iterator[Path]:
    """The folders that an editable install needs: its project, and what setuptools' finder or .pth file names."""
    if distribution.source is None:
        return
    yield distribution.source
    for listed in distribution.files:
        path = distribution.folder.parent / listed.path
        if path.name.startswith("__editable__") and path.suffix == ".py":
            found = _MAPPING.search(text(path, LARGEST))
            try:
                mapping = ast.literal_eval(found[1]) if found else {}
            except (MemoryError, RecursionError, SyntaxError, ValueError):
                mapping = {}
            if isinstance(mapping, dict):
                # A module is named without its suffix.
                yield from (Path(str(each)) for each in mapping.values() if not Path(f"{each}.py").exists())
        elif path.suffix == ".pth" and "/" not in listed.path:
            lines = text(path, LARGEST).splitlines()
            yield from (Path(line) for line in lines if line.startswith("/"))


def _moved_to(distribution: Distribution, around: Surroundings) -> Path | None:
    """Where the project of an editable install is now: itself, beside where it was, or the current folder."""
    was = distribution.source
    if was is None:
        return None
    beside = [Path(row.path) for row in entries(was.parent)[:200] if row.is_dir()]
    return next((each for each in (was, around.cwd, *beside) if _project_in(each) == distribution.name), None)


def _project_in(folder: Path) -> str:
    """The name of the project in a folder; empty if it is none that says so."""
    document = text(folder / "pyproject.toml", LARGEST)
    try:
        project = parse_toml(document).get("project", {}) if document else {}
        name = project.get("name", "") if isinstance(project, dict) else ""
    except ValueError:
        name = ""
    found = _NAMED.search(text(folder / "setup.cfg", LARGEST) or text(folder / "setup.py", LARGEST))
    return canonical(str(name)) if name else canonical(found[1]) if found else ""


def broken_pth(environment: InstalledEnvironment, explained: frozenset[str]) -> Iterator[Finding]:
    """The .pth files that lead nowhere or cannot be run; not those of distributions that are `explained` already."""
    here = frozenset(name for folder in environment.site_packages for name in modules_in(folder))
    for folder in environment.site_packages:
        for row in entries(folder):
            owner = environment.owners.get(row.path)
            if row.name.endswith(".pth") and not row.name.startswith(".") and not (owner and owner.name in explained):
                yield from _of_pth(Path(row.path), here)


def broken_start(environment: InstalledEnvironment) -> Iterator[Finding]:
    """A sitecustomize or usercustomize, which every start of Python runs, that cannot be run."""
    here = frozenset(name for folder in environment.site_packages for name in modules_in(folder))
    for folder in environment.site_packages:
        for path in (folder / "sitecustomize.py", folder / "usercustomize.py"):
            why = _wrong_code(text(path, LARGEST), here)
            if why:
                yield Finding(
                    "start",
                    "finding",
                    f"{path.name} makes every start of Python print an error",
                    f"{path}: {why}",
                    "put it out of the way",
                    (typed("mv", path, path.with_suffix(".py.off")),),
                )


def dangling_links(environment: InstalledEnvironment) -> Iterator[Finding]:
    """Links beside the packages that lead to nothing."""
    for folder in environment.site_packages:
        for row in entries(folder):
            path = Path(row.path)
            if row.is_symlink() and not path.exists() and not row.name.startswith("~"):
                yield Finding(
                    "link",
                    "finding",
                    f"{row.name} is a link to a folder that was moved or deleted",
                    f"{path} leads to {path.readlink()}",
                    "remove it, and install what it led to",
                    (typed("rm", path),),
                )


def _of_pth(path: Path, here: frozenset[str]) -> Iterator[Finding]:
    raw = content(path, LARGEST)
    if raw is None:
        yield _pth(path, "it cannot be read, or is no file of the size that such files have")
        return
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        yield _pth(path, "it is not UTF-8, so Python cannot read it")
        return
    if b"\0" in raw:
        yield _pth(path, "it contains a zero byte, so Python cannot read it")
        return
    wrong = [(number, why) for number, line in enumerate(lines, 1) if (why := _wrong(line, path.parent, here))]
    meant = [line for line in lines if line.strip() and not line.startswith("#")]
    if wrong:
        why = shown_of([f"line {number}: {why}" for number, why in wrong])
        yield _pth(path, why, () if len(wrong) == len(meant) else tuple(number for number, _ in wrong))


def _pth(path: Path, why: str, lines: tuple[int, ...] = ()) -> Finding:
    """A finding whose cure removes the `lines`, or without any the file."""
    numbers = ";".join(f"{number}d" for number in lines)
    command = typed("sed", "-i.bak", numbers, path) if lines else typed("rm", "-f", path)
    return Finding(
        "pth",
        "finding",
        f"{path.name} does not do what it is for, or makes every start of Python print an error",
        f"{path}: {why}",
        "remove these lines; a copy of the file is kept" if lines else "remove it",
        (command,),
    )


def _wrong(line: str, folder: Path, here: frozenset[str]) -> str:
    """What is wrong with a line; empty if nothing is."""
    line = line.rstrip()
    if not line.strip() or line.startswith("#"):
        return ""
    if not line.startswith(("import ", "import\t")):
        try:
            return "" if (folder / line).exists() else f"{line[:200]} does not exist"
        except (OSError, ValueError):
            return f"{line[:200]} cannot be a path"
    return _wrong_code(line, here)


def _wrong_code(code: str, here: frozenset[str]) -> str:
    """Why code does not even start to run: an error in it, or an import of what is not there; empty if it does."""
    try:
        tree = ast.parse(code)
    except (MemoryError, RecursionError, SyntaxError, ValueError) as error:
        return f"its code has an error ({getattr(error, 'msg', None) or type(error).__name__})"
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                name = alias.name.partition(".")[0]
                if name not in here and name not in sys.stdlib_module_names:
                    return f"it imports {name}, which is not there"
    return ""


def half_removed(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """What pip renamed before it removed it, and then could not (`~umpy`, `~umpy-2.0.dist-info`)."""
    present = {each.name for each in environment.distributions}
    for folder in environment.site_packages:
        left = [Path(row.path) for row in entries(folder) if row.name.startswith("~")]
        if not left:
            continue
        known = {pinned for each in left if (pinned := _pinned(each))}
        lost = sorted(pinned for pinned in known if pinned.partition("==")[0] not in present)
        yield Finding(
            "half removed",
            "finding",
            f"{len(left)} folders are left of packages that pip could not remove: "
            + shown_of([each.name for each in left]),
            f"in {folder}" + (f"; {', '.join(lost)} can no longer be imported" if lost else ""),
            "delete them" + (", and install again what was lost" if lost else ""),
            (typed("rm", "-rf", *left), *(tools.install(lost) if lost else ())),
        )


def _pinned(folder: Path) -> str:
    """The package that a half-removed folder of metadata was of; pip replaces the beginning of its name."""
    found = _REMOVED.fullmatch(folder.name)
    name = _NAMED_IN_METADATA.search(text(folder / "METADATA"))
    return f"{canonical(name[1])}=={found['version']}" if found and found["version"] and name else ""
