"""Which file of the wheels, or which of the system's libraries, a loader takes for what a module needs.

ELF: ld.so(8), RPATH with $ORIGIN. Mach-O: dyld(1), @loader_path and @rpath. For both, every file that led to this one
adds its own (RUNPATH does not hand its folders on, but what it found is loaded by then).
PE: the folder of the module, then those that packages add (os.add_dll_directory), by name.
"""

from __future__ import annotations

import fnmatch
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..contract import ProvidedLibraries
from .module import ELF, PE, Module, Need
from .platforms import Platform


@dataclass(frozen=True)
class Found:
    """Who provides a library: a module of the wheels, or the entry of the system's libraries that names it.

    A module that is not `in_reach` is where the loader does not look: it is found only if it was loaded before.
    """

    module: Module | None = None
    provided: ProvidedLibraries | None = None
    in_reach: bool = True


class ModuleSet:
    """The modules of a set of wheels that are for one platform, and how they find each other."""

    def __init__(self, modules: Iterable[Module], platform: Platform, provided: Sequence[ProvidedLibraries]) -> None:
        self.platform = platform
        every = tuple(modules)
        self.modules = tuple(each for each in every if each.machine == platform.machine)
        self.others = tuple(each for each in every if each.machine != platform.machine)
        self._provided = [each for each in provided if each.system == platform.system]
        self._by_path = {each.path.lower() if platform.form == PE else each.path: each for each in self.modules}
        self._by_name: dict[str, Module] = {}
        self._behind: dict[Module, frozenset[Module]] = {}
        for each in self.modules:
            if not each.executable:
                for name in filter(None, (each.known_as, each.file.lower() if platform.form == PE else each.file)):
                    self._by_name.setdefault(name, each)

    def find(self, module: Module, need: Need) -> Found:
        """Who provides what a module needs; neither, if nobody does."""
        for path in self._places(module, need.library):
            if path in self._by_path:
                return Found(self._by_path[path])
        name = need.library.lower() if self.platform.form == PE else need.library
        elsewhere = self._by_name.get(name) or (self._by_name.get(posixpath.basename(name)) if name[0] == "@" else None)
        return Found(elsewhere, None if elsewhere else self._provider(name), in_reach=elsewhere is None)

    @cached_property
    def links(self) -> Mapping[Module, tuple[tuple[Need, Found], ...]]:
        """What each module needs, and who provides it."""
        return {module: tuple((need, self.find(module, need)) for need in module.needs) for module in self.modules}

    @cached_property
    def exports(self) -> frozenset[str]:
        """Every name that some module offers."""
        return frozenset(name for each in self.modules for name in each.exports)

    def behind(self, module: Module) -> frozenset[Module]:
        """A module, and every file of the wheels that is loaded with it."""
        if module not in self._behind:
            self._behind[module] = self._reached(module)
        return self._behind[module]

    def _reached(self, module: Module) -> frozenset[Module]:
        seen, pending = {module}, [module]
        while pending:
            for _, found in self.links[pending.pop()]:
                if found.module is not None and found.module not in seen:
                    seen.add(found.module)
                    pending.append(found.module)
        return frozenset(seen)

    @cached_property
    def loaded(self) -> frozenset[Module]:
        """Every module that is loaded when Python imports what it can import."""
        return frozenset(each for module in self.modules if module.for_python for each in self.behind(module))

    def shown(self, path: str) -> str:
        """A path for a reader: below site-packages, where most are."""
        start = f"{self.platform.site_packages}/"
        return path[len(start) :] if path.startswith(start) else path

    def _provider(self, name: str) -> ProvidedLibraries | None:
        if self.platform.form == PE and name == f"python{self.platform.python.replace('.', '')}.dll":
            name = "python3.dll"
        return next((each for each in self._provided if any(_fits(name, pattern) for pattern in each.names)), None)

    def _places(self, module: Module, library: str) -> Iterator[str]:
        """The paths, relative to the environment's folder, where the loader looks for a library."""
        if self.platform.form == PE:
            yield posixpath.join(module.folder, library).lower()
            # What delvewheel collects; the package that it mends adds the folder itself.
            yield from (f"{folder}/{library.lower()}" for folder in self._collected)
        elif self.platform.form == ELF:
            for each in (module, *self._leading_to.get(module, ())):
                for folder in each.search:
                    folder = folder.replace("${ORIGIN}", "$ORIGIN")
                    if folder.startswith("$ORIGIN"):
                        yield _joined(each.folder, folder[len("$ORIGIN") :], library)
        elif library.startswith("@loader_path/"):
            yield _joined(module.folder, library[len("@loader_path") :])
        elif library.startswith("@rpath/"):
            for each in (module, *self._leading_to.get(module, ())):
                for folder in each.search:
                    if folder.startswith("@loader_path"):
                        yield _joined(each.folder, folder[len("@loader_path") :], library[len("@rpath/") :])

    @cached_property
    def _collected(self) -> tuple[str, ...]:
        return tuple({each.folder.lower() for each in self.modules if each.folder.endswith(".libs")})

    @cached_property
    def _leading_to(self) -> Mapping[Module, frozenset[Module]]:
        """The modules that lead to each one, by the file names in what they need: enough to know whose rpaths count."""
        users: dict[str, set[Module]] = defaultdict(set)
        for module in self.modules:
            for need in module.needs:
                users[posixpath.basename(need.library)].add(module)
        found = {}
        for module in self.modules:
            seen: set[Module] = set()
            pending = [module]
            while pending:
                for user in users.get(pending.pop().file, ()):
                    if user not in seen:
                        seen.add(user)
                        pending.append(user)
            found[module] = frozenset(seen)
        return found


def _joined(folder: str, *parts: str) -> str:
    return posixpath.normpath("/".join((folder, *(part.strip("/") for part in parts if part.strip("/")))))


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)
