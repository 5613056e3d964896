"""From what wheels' native modules say of themselves to what will not work on a platform, and what depends on it."""

from __future__ import annotations

import fnmatch
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ..contract import AuditFinding, OptionalModules, SystemLibraries
from .linking import ModuleSet
from .module import UNSIGNED, Module
from .platforms import Platform, as_text, is_pure, promised
from .symbols import missing_symbols
from .wheels import ReadWheel

SHOWN = 3
_GLIBC = "GLIBC_"


class Audit:
    """All judgements about one set of wheels."""

    def __init__(self, wheels: Sequence[ReadWheel], platform: Platform, system: SystemLibraries) -> None:
        self._wheels = wheels
        self._platform = platform
        self._optional = system.optional
        self.modules = ModuleSet(
            (each for wheel in wheels if not is_pure(wheel.name) for each in wheel.modules), platform, system.libraries
        )
        self._with_extensions = {each.wheel for each in self.modules.modules if each.for_python}

    def findings(self) -> tuple[AuditFinding, ...]:
        """Errors first."""
        found = [
            *self._damaged(),
            *self._processors(),
            *self._missing_libraries(),
            *self._missing_symbols(),
            *self._out_of_reach(),
            *self._signatures(),
            *self._too_new(),
            *self._provided(),
        ]
        return tuple(sorted(found, key=lambda each: each.level != "error"))

    def needs(self) -> tuple[int, ...]:
        """The oldest system that every module that is not optional was built for."""
        return max((oldest_of(each) for each in self.modules.modules if self._counts(each)), default=())

    def _counts(self, module: Module) -> bool:
        """Whether something is broken if this module is: it is no plugin, no program, and somebody loads it.

        What nobody links to and Python cannot import is loaded by name, if at all; where a wheel has nothing but such
        files, that is what it is for.
        """
        if module.executable or self._why_optional(module):
            return False
        return module in self.modules.loaded or module.wheel not in self._with_extensions

    def _idle(self, modules: Sequence[Module]) -> str:
        """Modules that nothing is broken without, in words."""
        reasons = [self._why_optional(each) for each in modules]
        if all(reasons) and reasons[0]:
            return f"what is optional ({reasons[0].why})"
        return _counted(len(modules)) + (" that nothing links to" if len(modules) == 1 else ", which nothing links to,")

    def _why_optional(self, module: Module) -> OptionalModules | None:
        path = self.modules.shown(module.path)
        return next(
            (each for each in self._optional if any(fnmatch.fnmatchcase(path, one) for one in each.paths)), None
        )

    def _damaged(self) -> Iterator[AuditFinding]:
        for wheel in self._wheels:
            for path, why in () if is_pure(wheel.name) else wheel.damaged:
                yield AuditFinding("damaged", "error", f"{wheel.name}: {why}", (self.modules.shown(path),))

    def _processors(self) -> Iterator[AuditFinding]:
        """What Python imports must be there for this processor; other files may be for others."""
        here = {each.path for each in self.modules.modules}
        wrong: dict[tuple[str, str], list[Module]] = defaultdict(list)
        for module in self.modules.others:
            if module.for_python and module.path not in here:
                wrong[module.wheel, module.machine].append(module)
        for (wheel, machine), modules in sorted(wrong.items()):
            text = f"{wheel} has {_counted(len(modules))} for {machine} only"
            yield self._finding("processor", True, text, modules)

    def _missing_libraries(self) -> Iterator[AuditFinding]:
        users: dict[tuple[str, bool], list[Module]] = defaultdict(list)
        for module, links in self.modules.links.items():
            for need, found in links:
                if found.module is None and found.provided is None and not need.optional:
                    users[need.library, self._counts(module)].append(module)
        for (library, counts), modules in sorted(users.items()):
            unable = self._unable(modules) if counts else modules
            name = posixpath.basename(library)
            elsewhere = sorted({each.machine for each in self.modules.others if name in (each.file, each.known_as)})
            where = f", but for {' and '.join(elsewhere)}" if elsewhere else ""
            who = f"{_counted(len(unable))} cannot load" if counts else f"only {self._idle(modules)} would need it"
            text = f"{library} is in none of the wheels{where}, and the system does not have it: {who}"
            yield self._finding("missing-library", counts, text, unable)

    def _out_of_reach(self) -> Iterator[AuditFinding]:
        """Libraries that are there, but where the loader does not look: many packages load them first."""
        users: dict[str, list[Module]] = defaultdict(list)
        for module, links in self.modules.links.items():
            for _, found in links:
                if found.module is not None and not found.in_reach and self._counts(module):
                    users[self.modules.shown(found.module.path)].append(module)
        for library, modules in sorted(users.items()):
            text = f"{library} is not where {_counted(len(modules))} would look for it: it must be loaded before"
            yield self._finding("out-of-reach", False, text, modules)

    def _unable(self, broken: Sequence[Module]) -> list[Module]:
        """The modules that broken ones keep from loading: those that Python imports, or if there are none, these."""
        bad = set(broken)
        python = [each for each in self.modules.modules if each.for_python and bad & self.modules.behind(each)]
        return python or list(broken)

    def _missing_symbols(self) -> Iterator[AuditFinding]:
        for (taker, giver), names in missing_symbols(self.modules).items():
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            place = f"{self.modules.shown(giver.path)} does not have" if giver else "no file has"
            text = f"{place} what {self.modules.shown(taker.path)} takes: {shown}"
            yield self._finding("missing-symbol", self._counts(taker), text, [taker])

    def _signatures(self) -> Iterator[AuditFinding]:
        """A missing signature is an error where every module must have one, a wrong one everywhere."""
        wrong: dict[tuple[str, str, bool], list[Module]] = defaultdict(list)
        for module in self.modules.modules:
            said = module.signature
            if said and (said != UNSIGNED or self._platform.must_be_signed):
                wrong[module.wheel, said, self._counts(module) and self._platform.must_be_signed].append(module)
        for (wheel, said, counts), modules in sorted(wrong.items()):
            text = f"{wheel}: macOS ends a program that loads {_counted(len(modules))}, because {said}"
            yield self._finding("signature", counts, text, modules)

    def _too_new(self) -> Iterator[AuditFinding]:
        """Modules that were built for a newer system than the wheel's tag says, or than the one in question."""
        newest: dict[str, list[Module]] = defaultdict(list)
        for module in self.modules.modules:
            if self._counts(module) and oldest_of(module) > max(promised(module.wheel), (0,)):
                newest[module.wheel].append(module)
        for wheel, modules in sorted(newest.items()):
            version, tag = max(map(oldest_of, modules)), promised(wheel)
            said = self._platform.in_words(version)
            if tag and self._platform.in_words(tag) != said:
                how = "need" if self._platform.system == "linux" else "ask for"
                text = f"{wheel}: native modules {how} {said}, although its tag says {as_text(tag)}"
                yield self._finding("minimum-system", False, text, modules)
            oldest = self._platform.oldest
            if self._platform.system == "linux" and oldest and version > oldest:
                text = f"{wheel} needs {said}, and this platform has {self._platform.in_words(oldest)}"
                yield self._finding("c-library", True, text, modules)

    def _provided(self) -> Iterator[AuditFinding]:
        """What must be installed beside the wheels."""
        wanted: dict[tuple[str, str, str], dict[str, list[Module]]] = defaultdict(lambda: defaultdict(list))
        for module, links in self.modules.links.items():
            for need, found in links:
                kind = found.provided
                if kind is not None and kind.what and kind.kind != "python" and not need.optional:
                    optional = not self._counts(module)
                    words = f"{kind.what}, but only for what is optional" if optional else kind.what
                    wanted[kind.kind, words, kind.source][need.library].append(module)
        for (brought_by, what, _), libraries in sorted(wanted.items()):
            names = ", ".join(sorted(libraries, key=str.lower))
            modules = [each for users in libraries.values() for each in users]
            yield self._finding(f"{brought_by}-library", False, f"needs {names}: {what}", modules)

    def _finding(self, check: str, error: bool, text: str, modules: Iterable[Module]) -> AuditFinding:
        paths = tuple(dict.fromkeys(self.modules.shown(each.path) for each in modules))
        return AuditFinding(check, "error" if error else "note", text, paths)


def oldest_of(module: Module) -> tuple[int, ...]:
    """The oldest glibc or macOS that a module says it needs; empty if it says nothing."""
    versions = [each.version[len(_GLIBC) :] for each in module.imports if each.version.startswith(_GLIBC)]
    numbers = [tuple(map(int, each.split("."))) for each in versions if each.replace(".", "").isdigit()]
    return max(numbers, default=module.minimum)


def _counted(modules: int) -> str:
    return f"{modules} module" + ("" if modules == 1 else "s")
