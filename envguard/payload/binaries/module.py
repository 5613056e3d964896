"""What is known of one native module, whichever format it has."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cached_property

ELF, MACH_O, PE = "ELF", "Mach-O", "PE"
UNSIGNED = "it has no signature"


@dataclass(frozen=True)
class Need:
    """A library that a module loads, as written; an `optional` one may be absent (weak, or loaded on first use)."""

    library: str
    optional: bool = False


@dataclass(frozen=True)
class Symbol:
    """A symbol that a module takes from elsewhere.

    `library` is the one it must come from, as its `Need` writes it; empty if any will do. `version` is ELF's, else
    empty. An `optional` symbol may be absent.
    """

    name: str
    library: str = ""
    version: str = ""
    optional: bool = False


@dataclass(frozen=True, eq=False)  # each is itself: comparing a hundred thousand names would tell nothing
class Module:
    """One native file for one processor; `path` is where it is installed, relative to site-packages.

    `machine` is as Linux names it (`x86_64`, `aarch64`). `known_as` is the name that others load it by (soname, install
    name, or file name), `search` are the folders it looks in as written, `passes_on` those of its needs whose symbols
    it hands on as its own. `versions` are the symbol versions that it defines, `exports` the names that it offers.
    `minimum` is the oldest macOS that it was built for; `signature` says what is wrong with it, and is empty if nothing
    is. An `executable` is started, never loaded.
    """

    path: str
    wheel: str
    form: str
    machine: str
    known_as: str = ""
    needs: tuple[Need, ...] = ()
    search: tuple[str, ...] = ()
    passes_on: tuple[str, ...] = ()
    imports: tuple[Symbol, ...] = ()
    exports: frozenset[str] = frozenset()
    versions: frozenset[str] = frozenset()
    minimum: tuple[int, ...] = ()
    signature: str = ""
    executable: bool = False

    @property
    def folder(self) -> str:
        """Where it lies, relative to site-packages."""
        return posixpath.dirname(self.path)

    @property
    def file(self) -> str:
        """Its file name."""
        return posixpath.basename(self.path)

    @cached_property
    def for_python(self) -> bool:
        """Whether Python imports it."""
        return any(name.lstrip("_").startswith("PyInit_") for name in self.exports)
