"""The system package that brings a shared library which the loader did not find."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.doctor.debian import package_of
from envguard.doctor.stories.told import Told
from envguard.toml import parse_toml

PACKAGES = Path(__file__).with_name("shared_libraries.toml")
_GLIBC = re.compile(
    r"(?P<library>lib[\w.+-]{1,80}\.so[.\d]{0,12}): (?:cannot open shared object file|[^:]{0,60}Errno 2)"
)
_MUSL = re.compile(r"Error loading shared library (?P<library>lib[\w.+-]{1,80}\.so[.\d]{0,12})(?:: No such file|\s*$)")
_COMMANDS = {
    "debian": "Debian, Ubuntu: `apt-get install {}`",
    "fedora": "Fedora: `dnf install {}`",
    "arch": "Arch: `pacman -S {}`",
    "alpine": "Alpine: `apk add {}`",
    "pip": "`python -m pip install {}`",
}


def read(rows: Sequence[str], index: int) -> Told | None:
    """`missing`, with the library and how to install it."""
    musl = _MUSL.search(rows[index])
    found = musl or _GLIBC.search(rows[index])
    if found is None:
        return None
    return Told("missing", index, {"library": found["library"], "install": advice(found["library"], musl=bool(musl))})


def advice(library: str, *, musl: bool = False) -> str:
    """How to install what has that library, as a sentence."""
    entry = next((each for pattern, each in _entries() if re.fullmatch(pattern, library)), None)
    named = re.search(r"\.so\.\d", library)
    if musl and named and (entry is None or "debian" in entry):
        return f"Install it ({_COMMANDS['alpine'].format(f'so:{library}')}).{_note(entry)}"
    if entry is None:
        package = package_of(library) or library.partition(".so")[0]
        return (
            f"Install the system package that has it (Debian, Ubuntu: `apt-get install {package}`, if it follows the "
            f"library's name; `apt-file search {library}` tells)."
        )
    known = {system: words for system, words in entry.items() if system in _COMMANDS}
    if named and "debian" in known:
        known.setdefault("fedora", f'"{library}()(64bit)"')
    ways = "; ".join(words.format(known[system]) for system, words in _COMMANDS.items() if system in known)
    return f"Install it ({ways}).{_note(entry)}" if ways else entry["note"]


def _note(entry: Mapping[str, str] | None) -> str:
    return f" {entry['note']}" if entry and "note" in entry else ""


def _entries() -> list[tuple[str, Mapping[str, str]]]:
    """Patterns of the libraries' names, and the packages that have them, from `shared_libraries.toml`."""
    entries: list[tuple[str, Mapping[str, str]]] = []
    table = parse_toml(PACKAGES.read_text(encoding="utf-8"))["libraries"]
    assert isinstance(table, dict)
    for pattern, packages in table.items():
        assert isinstance(packages, dict)
        entries.append((pattern, {system: str(words) for system, words in packages.items()}))
    return entries
