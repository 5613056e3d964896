"""Check an environment's native modules by reading their files: nothing is loaded. ELF here, the rest elsewhere."""

from __future__ import annotations

import mmap
import os
import platform
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envguard.doctor.elf import ElfFacts, read_elf
from envguard.doctor.elsewhere_checks import mach_o_findings, pe_findings, windows_folders
from envguard.doctor.finding import Finding, Level
from envguard.doctor.installed import InstalledEnvironment
from envguard.host.linker import find_library, versions_in
from envguard.planning import platform_of

SHOWN = 3
LARGEST_MODULE = 512 << 20

# Libraries of drivers: wheels that can use a GPU name them but work without.
DRIVERS = re.compile(r"lib(cuda|cudart|cudnn|cublas|cufft|curand|cusolver|cusparse|nccl|nv|tensorrt|OpenCL|roc|hip)")
# What is loaded only with its hardware (LiteRT's compiler plugins for other vendors' processors, Qt's platforms).
PLUGIN = re.compile(r"/(vendors|plugins)/|Plugin|Accelerator|Delegate")

# What only modules built with NumPy 1.x headers import: those built with 2.x headers try `numpy._core` first.
_NUMPY_1 = (b"numpy.core._multiarray_umath", b"numpy.core.multiarray")
_NUMPY_2 = b"numpy._core"


def check_native_modules(environment: InstalledEnvironment) -> tuple[Finding, ...]:
    """Everything that the native modules need and do not have on this system."""
    machine = platform_of(environment.interpreter).name.partition("-")[2]
    if sys.platform == "darwin":
        found = mach_o_findings(environment.native_modules(), environment.root, machine)
        return (*found, *_numpy_1_modules(environment))
    if sys.platform == "win32":
        folders = windows_folders(environment.interpreter.real_path, os.environ)
        found = pe_findings(environment.native_modules(), environment.root, machine, folders)
        return (*found, *_numpy_1_modules(environment))
    modules = {path: facts for path in environment.native_modules() if (facts := _facts(path)) is not None}
    return (
        *_other_machine(modules),
        *missing_libraries(modules, environment.root),
        *_newer_symbols(modules, environment.root),
        *_numpy_1_modules(environment),
    )


def native_modules_in(folders: Iterable[Path]) -> dict[Path, ElfFacts]:
    """The ELF files in the folders, by path."""
    files = (path for folder in folders for path in sorted(folder.rglob("*.so*")) if path.is_file())
    return {path: facts for path in files if (facts := _facts(path)) is not None}


def missing_libraries(modules: Mapping[Path, ElfFacts], root: Path) -> Iterator[Finding]:
    """One finding for each shared library that is neither in the modules' own folders nor in the system's."""
    ours = platform.machine()
    brought = {path.name for path in modules}
    wanted: dict[str, list[Path]] = defaultdict(list)
    for path, facts in modules.items():
        if facts.machine in ("", ours):
            for soname in facts.needed:
                wanted[soname].append(path)
    for soname, users in sorted(wanted.items()):
        if soname in brought or find_library(soname, [root / "lib", *_search_folders(users, modules)]):
            continue
        optional = DRIVERS.match(soname) or all(PLUGIN.search(str(user)) for user in users)
        level: Level = "note" if optional else "finding"
        yield Finding(
            "system libraries",
            level,
            f"{soname} is missing on this system" + (", but only a plugin or driver needs it" if optional else ""),
            f"needed by {_named(users, root)}",
            "" if optional else f"apt-file search {soname}",
        )


def _facts(path: Path) -> ElfFacts | None:
    try:
        return read_elf(path)
    except (OSError, ValueError):
        return None


def _search_folders(users: Iterable[Path], modules: Mapping[Path, ElfFacts]) -> Iterator[Path]:
    for user in users:
        for folder in modules[user].search:
            yield Path(folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", str(user.parent)))


def _other_machine(modules: Mapping[Path, ElfFacts]) -> Iterator[Finding]:
    ours = platform.machine()
    others: dict[str, list[Path]] = defaultdict(list)
    for path, facts in modules.items():
        if facts.machine and (facts.machine != ours or facts.bits != 64):
            others[f"{facts.machine}, {facts.bits}-bit"].append(path)
    for machine, paths in others.items():
        yield Finding(
            "processor",
            "finding",
            f"{len(paths)} native modules are for {machine}, but this machine is {ours}",
            ", ".join(map(str, paths[:SHOWN])),
            "install the packages on this machine instead of copying the environment",
        )


def _newer_symbols(modules: Mapping[Path, ElfFacts], root: Path) -> Iterator[Finding]:
    wanted: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path, facts in modules.items():
        for library, version in facts.versions:
            if re.match(r"GLIBC_2|GLIBCXX_3|CXXABI_1", version):
                wanted[library, version].append(path)
    for (library, version), users in sorted(wanted.items()):
        found = find_library(library, [root / "lib"])
        if found is not None and version not in versions_in(found):
            yield Finding(
                "symbol versions",
                "finding",
                f"{version} is needed, but this system's {library} does not have it",
                f"needed by {_named(users, root)}; {found} is older",
                "use versions of those packages with wheels for an older manylinux, or run them in a container",
            )


def _numpy_1_modules(environment: InstalledEnvironment) -> Iterator[Finding]:
    numpy = next((each for each in environment.distributions if each.name == "numpy"), None)
    if numpy is None or numpy.version.startswith(("0.", "1.")):
        return
    for distribution in environment.distributions:
        if distribution.name == "numpy":
            continue
        files = (distribution.folder.parent / listed.path for listed in distribution.files)
        old = [path for path in files if path.suffix in (".so", ".pyd") and _is_for_numpy_1(path)]
        if old:
            yield Finding(
                "numpy",
                "finding",
                f"{distribution} was built for NumPy 1.x, but NumPy {numpy.version} is installed",
                _named(old, environment.root),
                f"install a newer {distribution.name}, or 'numpy<2' in a separate environment",
            )


def _is_for_numpy_1(path: Path) -> bool:
    try:
        if not 0 < path.stat().st_size <= LARGEST_MODULE:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            return any(image.find(name) >= 0 for name in _NUMPY_1) and image.find(_NUMPY_2) < 0
    except OSError:
        return False


def _named(paths: list[Path], root: Path) -> str:
    shown = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for path in paths[:SHOWN]]
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(shown) + more
