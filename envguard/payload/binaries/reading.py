"""Read native modules with LIEF: ELF, Mach-O (each processor of a universal file by itself) and PE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lief

from .module import ELF, MACH_O, PE, Module, Need, Symbol
from .signatures import what_is_wrong

MAGICS = {
    b"\x7fELF": ELF,
    b"\xcf\xfa\xed\xfe": MACH_O,
    b"\xce\xfa\xed\xfe": MACH_O,
    b"\xca\xfe\xba\xbe": MACH_O,
    b"\xca\xfe\xba\xbf": MACH_O,
}
MOST_PROCESSORS = 16
"""In a universal file; a Java class has the same magic, and a version in this place that is larger."""

_ELF_MACHINES = {"X86_64": "x86_64", "AARCH64": "aarch64", "I386": "i686", "ARM": "armv7l", "RISCV": "riscv64"}
_MACH_O_MACHINES = {"ARM64": "aarch64", "X86_64": "x86_64", "X86": "i686", "ARM": "armv7l"}
_PE_MACHINES = {"AMD64": "x86_64", "ARM64": "aarch64", "I386": "i686"}
_WEAK_REFERENCE = 0x40
_LOADED_OR_STARTED = ("DYLIB", "BUNDLE", "EXECUTE")
_LOADS = {"LOAD_DYLIB", "LOAD_WEAK_DYLIB", "REEXPORT_DYLIB", "LAZY_LOAD_DYLIB", "LOAD_UPWARD_DYLIB"}


class Damaged(ValueError):
    """A file claims to be a native module and cannot be read as one."""


def form_of(start: bytes) -> str:
    """The format of a file by its first eight bytes; empty if it is none of the three."""
    if start[:2] == b"MZ":
        return PE
    form = MAGICS.get(start[:4], "")
    universal = form == MACH_O and start[:3] == b"\xca\xfe\xba"
    return "" if universal and int.from_bytes(start[4:8], "big") > MOST_PROCESSORS else form


def read_modules(file: Path, form: str, path: str, wheel: str) -> tuple[Module, ...]:
    """The modules in a file, one for each processor; `path` and `wheel` say where it comes from. Raises Damaged."""
    lief.logging.disable()
    read = {ELF: _elf, MACH_O: _mach_o, PE: _pe}[form]
    try:
        return tuple(read(file, path, wheel))
    except UnicodeDecodeError as error:  # a name that is none
        raise Damaged(f"{path} cannot be read as {form}: {error}") from error


def _elf(file: Path, path: str, wheel: str) -> Iterator[Module]:
    config = lief.ELF.ParserConfig()
    config.parse_symtab_symbols = config.parse_relocations = config.parse_notes = config.parse_overlay = False
    elf = lief.ELF.parse(str(file), config)
    if elf is None:
        raise Damaged(f"{path} is damaged")
    tags = lief.ELF.DynamicEntry.TAG
    entries = list(elf.dynamic_entries)
    soname = next((entry.name for entry in entries if entry.tag == tags.SONAME), "")
    searched = [
        *(entry.rpath for entry in entries if entry.tag == tags.RPATH),
        *(entry.runpath for entry in entries if entry.tag == tags.RUNPATH),
    ]
    brought_by = {
        auxiliary.name: requirement.name
        for requirement in elf.symbols_version_requirement
        for auxiliary in requirement.get_auxiliary_symbols()
    }
    symbols = tuple(_elf_symbol(symbol, brought_by) for symbol in elf.imported_symbols if symbol.name)
    # The version of what nobody imports counts too: the loader looks for each that is required.
    required = tuple(Symbol("", library, version) for version, library in brought_by.items())
    yield Module(
        path,
        wheel,
        ELF,
        _ELF_MACHINES.get(elf.header.machine_type.name, elf.header.machine_type.name.lower()),
        known_as=soname,
        needs=tuple(Need(entry.name) for entry in entries if entry.tag == tags.NEEDED),
        search=tuple(folder for folder in ":".join(searched).split(":") if folder),
        imports=(*required, *symbols),
        # LIEF's own list of exports leaves out unique symbols (STB_GNU_UNIQUE), of which Qt has many.
        exports=frozenset(symbol.name for symbol in elf.dynamic_symbols if symbol.name and symbol.shndx),
        versions=frozenset(each.name for entry in elf.symbols_version_definition for each in entry.auxiliary_symbols),
        executable=elf.has_interpreter and not soname and not any(map(_is_init, elf.exported_symbols)),
    )


def _is_init(symbol: lief.ELF.Symbol) -> bool:
    return str(symbol.name).startswith("PyInit_")


def _elf_symbol(symbol: lief.ELF.Symbol, brought_by: dict[str, str]) -> Symbol:
    version = ""
    if symbol.has_version and symbol.symbol_version.has_auxiliary_version:
        version = symbol.symbol_version.symbol_version_auxiliary.name
    weak = symbol.binding == lief.ELF.Symbol.BINDING.WEAK
    return Symbol(symbol.name, brought_by.get(version, ""), version, optional=weak)


def _mach_o(file: Path, path: str, wheel: str) -> Iterator[Module]:
    found = lief.MachO.parse(str(file), lief.MachO.ParserConfig.deep)
    if found is None:
        raise Damaged(f"{path} is damaged")
    for number in range(found.size):
        if found.at(number).header.file_type.name in _LOADED_OR_STARTED:  # others are for linkers and debuggers
            yield _slice(found.at(number), file, path, wheel)


def _slice(macho: lief.MachO.Binary, file: Path, path: str, wheel: str) -> Module:
    loads = [each for each in macho.libraries if each.command.name in _LOADS]
    own = next((each.name for each in macho.libraries if each.command.name == "ID_DYLIB"), "")
    machine = _MACH_O_MACHINES.get(macho.header.cpu_type.name, macho.header.cpu_type.name.lower())
    return Module(
        path,
        wheel,
        MACH_O,
        machine,
        known_as=own,
        needs=tuple(Need(each.name, optional="WEAK" in each.command.name) for each in loads),
        search=tuple(each.path for each in macho.rpaths),
        passes_on=tuple(each.name for each in loads if each.command.name == "REEXPORT_DYLIB"),
        imports=tuple(_mach_o_imports(macho, [each.name for each in loads])),
        exports=_mach_o_exports(macho),
        minimum=_minimum(macho),
        signature=what_is_wrong(macho, file),
        executable=macho.header.file_type.name == "EXECUTE",
    )


def _mach_o_imports(macho: lief.MachO.Binary, loads: list[str]) -> Iterator[Symbol]:
    """The symbols that come from a named library: the two-level namespace counts the libraries from 1."""
    for symbol in macho.imported_symbols:
        ordinal = symbol.library_ordinal
        if 1 <= ordinal <= len(loads):
            yield Symbol(symbol.name, loads[ordinal - 1], optional=bool(symbol.description & _WEAK_REFERENCE))


def _mach_o_exports(macho: lief.MachO.Binary) -> frozenset[str]:
    """What the loader finds: the names in the export trie, or for old files those in the symbol table."""
    if macho.has_dyld_exports_trie:
        exports = macho.dyld_exports_trie.exports
    elif macho.has_dyld_info:
        exports = macho.dyld_info.exports
    else:
        return frozenset(symbol.name for symbol in macho.exported_symbols)
    return frozenset(each.symbol.name for each in exports if each.has_symbol)


def _minimum(macho: lief.MachO.Binary) -> tuple[int, ...]:
    if macho.has_build_version:
        return tuple(macho.build_version.minos)
    return tuple(macho.version_min.version) if macho.has_version_min else ()


def _pe(file: Path, path: str, wheel: str) -> Iterator[Module]:
    config = lief.PE.ParserConfig()
    config.parse_signature = config.parse_rsrc = config.parse_reloc = config.parse_exceptions = False
    pe = lief.PE.parse(str(file), config)
    if pe is None:
        raise Damaged(f"{path} is damaged")
    exports = pe.get_export()
    is_library = pe.header.has_characteristic(lief.PE.Header.CHARACTERISTICS.DLL)
    yield Module(
        path,
        wheel,
        PE,
        _PE_MACHINES.get(pe.header.machine.name, pe.header.machine.name.lower()),
        known_as=path.rsplit("/", 1)[-1].lower(),
        needs=(
            *(Need(each.name) for each in pe.imports),
            *(Need(each.name, optional=True) for each in pe.delay_imports),
        ),
        imports=tuple(
            Symbol(entry.name, each.name) for each in pe.imports for entry in each.entries if not entry.is_ordinal
        ),
        exports=frozenset(entry.name for entry in exports.entries if entry.name) if exports else frozenset(),
        executable=not is_library,
    )
