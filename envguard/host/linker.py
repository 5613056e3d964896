"""Find shared libraries the way the dynamic linker of this Linux does, and read their symbol versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

CONFIGURATION = Path("/etc/ld.so.conf")
# What the linker searches by default (ld.so(8)), and Debian's folders for each architecture below them.
STANDARD = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib/*-linux-*", "/usr/lib/*-linux-*")
_VERSION = re.compile(rb"(?:GLIBC|GLIBCXX|CXXABI)_[0-9][0-9.]{0,12}")
_LARGEST_LIBRARY = 64 << 20
_DEEPEST = 5


@cache
def system_folders() -> tuple[Path, ...]:
    """The folders that the linker searches for every program, apart from LD_LIBRARY_PATH."""
    standard = (found for pattern in STANDARD for found in sorted(Path("/").glob(pattern.lstrip("/"))))
    return tuple(dict.fromkeys([*_configured(CONFIGURATION, _DEEPEST), *standard]))


def find_library(soname: str, first: Iterable[Path] = ()) -> Path | None:
    """The file that a soname resolves to, searched in the folders `first` and then in the system's."""
    return next((path for folder in (*first, *system_folders()) if (path := folder / soname).is_file()), None)


def absent(files: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of those files that are in none of the system's folders; a file may lie below one, as `dri/x.so`."""
    return tuple(key for key, file in files.items() if find_library(file) is None)


@cache
def versions_in(library: Path) -> frozenset[str]:
    """The symbol versions in a library, such as `GLIBCXX_3.4.30`."""
    with library.open("rb") as file:
        return frozenset(found.decode() for found in _VERSION.findall(file.read(_LARGEST_LIBRARY)))


def _configured(configuration: Path, deepest: int) -> Iterator[Path]:
    try:
        lines = configuration.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        said = line.partition("#")[0].strip()
        if said.startswith("include ") and deepest:
            for pattern in said.split()[1:]:
                absolute = configuration.parent / pattern
                for each in sorted(Path("/").glob(str(absolute).lstrip("/"))):
                    yield from _configured(each, deepest - 1)
        elif said.startswith("/"):
            yield Path(said)
