"""Check an environment's native modules by reading their files: nothing is loaded. ELF here, the rest elsewhere."""

from __future__ import annotations

import mmap
import os
import platform
import re
import shutil
import stat
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envguard.doctor.debian import package_of
from envguard.doctor.environments.curing import Tools
from envguard.doctor.environments.distribution import Distribution
from envguard.doctor.environments.elf import ElfFacts, read_elf
from envguard.doctor.environments.elsewhere import mach_o_findings, pe_findings, windows_folders
from envguard.doctor.environments.installed import InstalledEnvironment
from envguard.doctor.finding import Finding, shown_of
from envguard.host.linker import find_library, versions_in
from envguard.planning import platform_of

LARGEST_MODULE = 512 << 20

# Libraries of drivers: wheels that can use a GPU name them but work without.
DRIVERS = re.compile(r"lib(cuda|cudart|cudnn|cublas|cufft|curand|cusolver|cusparse|nccl|nv|tensorrt|OpenCL|roc|hip)")
# What is loaded only with its hardware (LiteRT's compiler plugins for other vendors' processors, Qt's platforms), or
# when it is asked for.
PLUGIN = re.compile(r"/(vendors|plugins|qml)/|[Pp]lugin|Accelerator|Delegate")
# What programs load by name, as Python does its modules; a library with a version in its name is only linked to.
_LOADED_BY_NAME = re.compile(r"[^.]+(\.(cpython|pypy|abi3|cp)[^.]*)?\.(so|pyd)")
_FOR_PYTHON = re.compile(r"(?P<stem>[^.]+)\.(?P<tag>cpython-\d+[a-z]*|cp\d+[a-z]*)-[^.]*\.(so|pyd)")

# What only modules built with NumPy 1.x headers import: those built with 2.x headers try `numpy._core` first.
_NUMPY_1 = (b"numpy.core._multiarray_umath", b"numpy.core.multiarray")
_NUMPY_2 = b"numpy._core"


def check_native_modules(environment: InstalledEnvironment, tools: Tools) -> tuple[Finding, ...]:
    """Everything that the native modules need and do not have on this system."""
    everywhere = (*_other_pythons(environment, tools), *_numpy_1_modules(environment, tools))
    machine = platform_of(environment.interpreter).name.partition("-")[2]
    if sys.platform == "darwin":
        found = mach_o_findings(environment.native_modules(), environment.root, machine)
        return (*found, *everywhere)
    if sys.platform == "win32":
        folders = windows_folders(environment.interpreter.real_path, os.environ)
        found = pe_findings(environment.native_modules(), environment.root, machine, folders)
        return (*found, *everywhere)
    modules = {path: facts for path in environment.native_modules() if (facts := _facts(path)) is not None}
    return (
        *_other_machine(modules, environment, tools),
        *missing_libraries(modules, environment.root),
        *_newer_symbols(modules, environment.root),
        *everywhere,
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
    needed = _loaded_with_certainty(modules)
    for soname, users in sorted(wanted.items()):
        if soname in brought or find_library(soname, [root / "lib", *_search_folders(users, modules)]):
            continue
        optional = bool(DRIVERS.match(soname)) or needed.isdisjoint(users)
        package = "" if optional else package_of(soname)
        yield Finding(
            "system libraries",
            "note" if optional else "finding",
            f"{soname} is missing on this system" + (", but only a plugin or driver needs it" if optional else ""),
            f"needed by {_named(users, root)}",
            "" if optional else "install the system's package that brings it",
            (f"apt-get install {package}",) if package and shutil.which("apt-get") else (),
        )


def _loaded_with_certainty(modules: Mapping[Path, ElfFacts]) -> frozenset[Path]:
    """The modules that programs load by name, and the libraries that these need; without plugins and their own."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in modules:
        by_name[path.name].append(path)
    waiting = [path for path in modules if _LOADED_BY_NAME.fullmatch(path.name) and not PLUGIN.search(str(path))]
    found = set(waiting)
    while waiting:
        for soname in modules[waiting.pop()].needed:
            waiting += (fresh := [path for path in by_name.get(soname, ()) if path not in found])
            found.update(fresh)
    return frozenset(found)


def _facts(path: Path) -> ElfFacts | None:
    try:
        return read_elf(path)
    except (OSError, ValueError):
        return None


def _search_folders(users: Iterable[Path], modules: Mapping[Path, ElfFacts]) -> Iterator[Path]:
    for user in users:
        for folder in modules[user].search:
            yield Path(folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", str(user.parent)))


def _other_machine(
    modules: Mapping[Path, ElfFacts], environment: InstalledEnvironment, tools: Tools
) -> Iterator[Finding]:
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
            _named(paths, environment.root),
            "install the packages on this machine instead of copying the environment",
            _again(paths, environment, tools),
        )


def _again(paths: list[Path], environment: InstalledEnvironment, tools: Tools) -> tuple[str, ...]:
    """Install once more what the modules are of, where pip may."""
    owners = {owner for path in paths for owner in _owners(path, environment)}
    found = [owner for owner in owners if owner is not None and owner.of_pip]
    return tools.reinstall(found) if found else ()


def _owners(path: Path, environment: InstalledEnvironment) -> tuple[Distribution | None, ...]:
    """What a module is of, and what one of its name for this Python is of."""
    meant = path.with_name(f"{path.name.partition('.')[0]}.{environment.interpreter.facts.soabi}.so")
    return tuple(environment.owners.get(os.path.normpath(each)) for each in (path, meant))


def _other_pythons(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """Modules whose names say that another Python was meant, where none beside them is for this one."""
    digits = environment.minor.replace(".", "")
    ours = re.compile(rf"(cpython-|cp){digits}[a-z]*")
    all_of: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in environment.files:
        stem, _, suffix = path.name.partition(".")
        if suffix.endswith(("so", "pyd", "py")):
            all_of[path.parent, stem].append(path)
    foreign: dict[str, list[Path]] = defaultdict(list)
    for paths in all_of.values():
        tagged = [found for path in paths if (found := _FOR_PYTHON.fullmatch(path.name))]
        if len(tagged) == len(paths) and not any(ours.fullmatch(found["tag"]) for found in tagged):
            owner = next((each for each in _owners(paths[0], environment) if each is not None), None)
            if owner is None or owner.of_pip:
                foreign[str(owner or paths[0].parent.name)].append(paths[0])
    for name, paths in foreign.items():
        yield Finding(
            "ABI",
            "finding",
            f"{len(paths)} native modules of {name} are for another Python than {environment.minor}",
            _named(paths, environment.root),
            "install it again with this environment's own Python",
            _again(paths, environment, tools),
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


def _numpy_1_modules(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    numpy = next((each for each in environment.distributions if each.name == "numpy"), None)
    if numpy is None or numpy.version.startswith(("0.", "1.")):
        return
    for distribution in environment.distributions:
        if distribution.name == "numpy":
            continue
        files = (distribution.folder.parent / listed.path for listed in distribution.files)
        old = [path for path in files if _LOADED_BY_NAME.fullmatch(path.name) and _is_for_numpy_1(path)]
        if old:
            yield Finding(
                "numpy",
                "finding",
                f"{distribution} was built for NumPy 1.x, but NumPy {numpy.version} is installed",
                _named(old, environment.root),
                f"install a newer {distribution.name}, or NumPy 1.x where nothing else here needs NumPy 2",
                tools.install(["numpy<2"]),
            )


def _is_for_numpy_1(path: Path) -> bool:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= LARGEST_MODULE:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
            return any(image.find(name) >= 0 for name in _NUMPY_1) and image.find(_NUMPY_2) < 0
    except OSError:
        return False


def _named(paths: list[Path], root: Path) -> str:
    return shown_of([str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for path in paths])
