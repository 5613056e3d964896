"""The native modules in a wheel: unpacked one at a time into a scratch folder, read, and removed again."""

from __future__ import annotations

import posixpath
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .module import Module
from .platforms import Platform
from .reading import Damaged, form_of, read_modules

NATIVE = re.compile(r".+\.(so(\.[0-9.]+)?|dylib|pyd|dll)")
SMALLEST = 64


@dataclass(frozen=True)
class ReadWheel:
    """The modules of one wheel, for any processor, and what files of it that look like modules are instead."""

    name: str
    modules: tuple[Module, ...]
    damaged: tuple[tuple[str, str], ...]


def read_wheel(wheel: Path, platform: Platform, scratch: Path) -> ReadWheel:
    """Read every native module of a wheel for the platform's system; raises zipfile.BadZipFile."""
    modules: list[Module] = []
    damaged = []
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = installed_path(member.filename, platform)
            form = _form(archive, member)
            looks_native = NATIVE.fullmatch(posixpath.basename(path)) is not None
            if not form and looks_native and member.file_size and _is_for(platform, path):
                damaged.append((path, "it is not a native module at all"))
            if form != platform.form:
                continue
            try:
                modules += _unpacked(archive, member, form, path, scratch)
            except Damaged as error:
                if looks_native:
                    damaged.append((path, str(error)))
    return ReadWheel(wheel.name, tuple(modules), tuple(damaged))


def installed_path(member: str, platform: Platform) -> str:
    """Where a member of a wheel is installed, relative to an environment's folder (binary distribution format)."""
    match = re.fullmatch(r"[^/]+\.data/([a-z]+)/(.+)", member)
    if match is None or match[1] in ("purelib", "platlib"):
        return f"{platform.site_packages}/{match[2] if match else member}"
    if match[1] == "scripts":
        return f"{'Scripts' if platform.system == 'windows' else 'bin'}/{match[2]}"
    return match[2] if match[1] == "data" else f"include/{match[2]}"


def _form(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    if member.file_size < SMALLEST:
        return ""
    with archive.open(member) as stream:
        return form_of(stream.read(8))


def _is_for(platform: Platform, path: str) -> bool:
    return path.endswith((".pyd", ".dll") if platform.system == "windows" else (".so", ".dylib"))


def _unpacked(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, form: str, path: str, scratch: Path
) -> Iterator[Module]:
    file = scratch / "module"
    with archive.open(member) as stream, file.open("wb") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
    try:
        yield from read_modules(file, form, path, Path(archive.filename or "").name)
    finally:
        file.unlink()
