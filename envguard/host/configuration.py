"""Where pip and uv look for configuration, system by system (pip's "Configuration", uv's "Configuration files")."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMED = ("PIP_CONFIG_FILE", "UV_CONFIG_FILE")


def configuration_files(
    environ: Mapping[str, str], home: Path, *, root: Path = Path("/"), system: str = sys.platform
) -> tuple[Path, ...]:
    """The files that configure an installer, whether they are there or not.

    `home` is the user's folder, `root` is where system folders are looked for, `system` the value of `sys.platform` to
    follow.
    """
    named = [Path(environ[name]) for name in NAMED if environ.get(name)]
    of_system = {"win32": _of_windows, "darwin": _of_macos}.get(system, _of_linux)
    return tuple(dict.fromkeys([*named, *of_system(environ, home, root)]))


def _of_linux(environ: Mapping[str, str], home: Path, root: Path) -> Iterator[Path]:
    configuration = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    yield from (configuration / "pip/pip.conf", home / ".pip/pip.conf", configuration / "uv/uv.toml")
    yield from (home / ".pydistutils.cfg", home / ".netrc")
    yield from (root / "etc/pip.conf", root / "etc/xdg/pip/pip.conf", root / "etc/uv/uv.toml")
    yield root / "etc/xdg/uv/uv.toml"


def _of_macos(environ: Mapping[str, str], home: Path, root: Path) -> Iterator[Path]:
    yield from (home / "Library/Application Support/pip/pip.conf", root / "Library/Application Support/pip/pip.conf")
    yield from _of_linux(environ, home, root)


def _of_windows(environ: Mapping[str, str], home: Path, root: Path) -> Iterator[Path]:
    roaming = Path(environ.get("APPDATA") or home / "AppData/Roaming")
    everyone = Path(environ.get("PROGRAMDATA") or root / "ProgramData")
    yield from (roaming / "pip/pip.ini", home / "pip/pip.ini", everyone / "pip/pip.ini")
    yield from (roaming / "uv/uv.toml", everyone / "uv/uv.toml")
    yield from (home / "pydistutils.cfg", home / "_netrc", home / ".netrc")
