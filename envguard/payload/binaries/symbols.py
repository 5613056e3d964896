"""Symbols that a module takes from a file of the same wheels, and that file does not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from .linking import ModuleSet
from .module import ELF, Module, Need, Symbol

# Whose own symbols all have a version: what has none cannot be theirs.
_VERSIONED = ("libc.", "libm.", "libdl.", "librt.", "libpthread.", "libgcc_s.", "libstdc++.", "ld-linux", "libutil.")
_OF_PYTHON = ("Py", "_Py")

Missing = Mapping["tuple[Module, Module | None]", "tuple[str, ...]"]
"""The names that are missing, by who takes them and from which file; from none if any file would do."""


def missing_symbols(modules: ModuleSet) -> Missing:
    """Everything that the loader would look for in vain."""
    found: dict[tuple[Module, Module | None], list[str]] = defaultdict(list)
    for module in modules.modules:
        takes = _elf_symbols(modules, module) if modules.platform.form == ELF else _named(modules, module)
        for giver, name in takes:
            found[module, giver].append(name)
    return {pair: tuple(dict.fromkeys(names)) for pair, names in found.items()}


def _named(modules: ModuleSet, module: Module) -> Iterator[tuple[Module, str]]:
    """Mach-O's two-level namespace, and PE's imports by name: each symbol says from which library it comes."""
    givers = {need.library: found.module for need, found in modules.links[module] if not need.optional}
    for symbol in module.imports:
        giver = givers.get(symbol.library)
        if giver is not None and not symbol.optional and not _offers(modules, giver, symbol.name):
            yield giver, symbol.name


def _offers(modules: ModuleSet, giver: Module, name: str, depth: int = 8) -> bool:
    """Whether a library has a symbol, or hands on one that it may have from a library that was not read."""
    if name in giver.exports:
        return True
    for passed in giver.passes_on:
        found = modules.find(giver, Need(passed)).module
        if found is None or (depth and _offers(modules, found, name, depth - 1)):
            return True
    return False


def _elf_symbols(modules: ModuleSet, module: Module) -> Iterator[tuple[Module | None, str]]:
    givers = {need.library: found.module for need, found in modules.links[module]}
    anywhere = modules.exports
    closed = _is_closed(modules, module)
    for symbol in module.imports:
        giver = givers.get(symbol.library)
        if symbol.library and giver is not None and giver.versions and symbol.version not in giver.versions:
            yield giver, _with_version(symbol)
        elif symbol.name and not symbol.optional:
            if giver is not None and symbol.name not in giver.exports and symbol.name not in anywhere:
                yield giver, _with_version(symbol)
            elif not symbol.version and closed and not _is_known(symbol.name, anywhere):
                yield None, symbol.name


def _with_version(symbol: Symbol) -> str:
    return f"{symbol.name}@{symbol.version}" if symbol.name else symbol.version


def _is_known(name: str, anywhere: frozenset[str]) -> bool:
    return name.startswith(_OF_PYTHON) or name in anywhere


def _is_closed(modules: ModuleSet, module: Module) -> bool:
    """Whether all that is loaded with a module was read, or has versions for everything."""
    if not any(need.library.startswith("libc.so") for need in module.needs):
        return False
    for each in modules.behind(module):
        for need, found in modules.links[each]:
            if found.module is None and not need.library.startswith(_VERSIONED):
                return False
    return True
