"""Check an environment's native modules on macOS and Windows by reading their files: nothing is loaded."""

from __future__ import annotations

import fnmatch
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from envguard.doctor.environments.mach_o import MachOFacts, read_mach_o
from envguard.doctor.environments.pe import PeFacts, read_pe
from envguard.doctor.finding import Finding
from envguard.host.provided import system_libraries
from envguard.payload.contract import ProvidedLibraries

SHOWN = 3


def mach_o_findings(modules: Iterable[Path], root: Path, machine: str) -> Iterator[Finding]:
    """What is wrong with modules on a Mac with that processor (`arm64`, `x86_64`)."""
    parts = {path: found for path in modules if (found := _mach_o(path))}
    ours = {path: part for path, found in parts.items() for part in found if part.machine == machine}
    yield from _other_processor([path for path in parts if path not in ours], root, machine)
    users: dict[str, list[Path]] = defaultdict(list)
    folders = _rpaths(ours)
    for path, part in ours.items():
        for name in part.needed:
            if name not in part.optional and not _is_optional(path, root) and not _on_mac(name, path, folders):
                users[name].append(path)
    yield from _missing(users, root, "macos")
    unsigned = [path for path, part in ours.items() if not part.signed]
    if machine == "arm64" and unsigned:
        named = " ".join(str(path) for path in unsigned[:SHOWN])
        yield Finding(
            "signature",
            "finding",
            f"{len(unsigned)} native modules have no signature: macOS ends a program that loads one",
            _named(unsigned, root),
            f"codesign --sign - {named}",
        )


def pe_findings(modules: Iterable[Path], root: Path, machine: str, system: Sequence[Path]) -> Iterator[Finding]:
    """What is wrong with modules on a Windows whose own DLLs are in the folders `system`."""
    facts = {path: found for path in modules if (found := _pe(path)) is not None}
    ours = {path: found for path, found in facts.items() if found.machine == machine}
    foreign = [path for path in facts if path not in ours and path.suffix.lower() == ".pyd"]
    yield from _other_processor(foreign, root, machine)
    brought = {path.name.lower() for path in ours}
    users: dict[str, list[Path]] = defaultdict(list)
    for path, found in ours.items():
        for name in found.needed:
            here = name.lower() in brought or any((folder / name).is_file() for folder in (path.parent, *system))
            if not here and not _is_optional(path, root):
                users[name].append(path)
    yield from _missing(users, root, "windows")


def windows_folders(python: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a Windows has its DLLs, and the Python that modules are imported into."""
    return (python.parent, Path(environ.get("SystemRoot", r"C:\Windows")) / "System32")


def _missing(users: Mapping[str, list[Path]], root: Path, system: str) -> Iterator[Finding]:
    """One finding for each library that nobody brings; what a system has that we cannot look into is none."""
    for name, paths in sorted(users.items()):
        provided = _provided(name, system)
        if provided is not None and provided.kind in ("system", "python"):
            continue
        optional = provided is not None and provided.kind == "driver"
        yield Finding(
            "system libraries",
            "note" if optional else "finding",
            f"{name} is missing on this system" + (", but only a driver brings it" if optional else ""),
            f"needed by {_named(paths, root)}",
            f"install {provided.what}" if provided and not optional else "",
        )


def _provided(name: str, system: str) -> ProvidedLibraries | None:
    folded = name.lower() if system == "windows" else name
    every = (each for each in system_libraries().libraries if each.system == system)
    return next((each for each in every if any(fnmatch.fnmatchcase(folded, one) for one in each.names)), None)


def _is_optional(path: Path, root: Path) -> bool:
    """Whether the package of a module works without it; the patterns are below site-packages, wherever that is."""
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    below = inside.partition("site-packages/")[2] or inside
    return any(fnmatch.fnmatchcase(below, one) for each in system_libraries().optional for one in each.paths)


def _rpaths(modules: Mapping[Path, MachOFacts]) -> tuple[Path, ...]:
    """Every folder in which some module looks: dyld(1) searches those of all that led to a library."""
    found = (_expanded(folder, path) for path, part in modules.items() for folder in part.search)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _on_mac(name: str, user: Path, folders: Sequence[Path]) -> bool:
    if name.startswith("@rpath/"):
        return any((folder / name.removeprefix("@rpath/")).exists() for folder in folders)
    place = _expanded(name, user)
    return place is not None and place.exists()


def _expanded(name: str, user: Path) -> Path | None:
    if name.startswith("@loader_path"):
        return Path(os.path.normpath(user.parent / name.removeprefix("@loader_path").lstrip("/")))
    return Path(name) if name.startswith("/") else None


def _other_processor(paths: list[Path], root: Path, machine: str) -> Iterator[Finding]:
    if paths:
        yield Finding(
            "processor",
            "finding",
            f"{len(paths)} native modules are not for {machine}, which this Python is for",
            _named(paths, root),
            "install the packages with this Python instead of copying the environment",
        )


def _mach_o(path: Path) -> tuple[MachOFacts, ...]:
    try:
        return read_mach_o(path)
    except (OSError, ValueError):
        return ()


def _pe(path: Path) -> PeFacts | None:
    try:
        return read_pe(path)
    except (OSError, ValueError):
        return None


def _named(paths: list[Path], root: Path) -> str:
    shown = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for path in paths[:SHOWN]]
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(shown) + more
