"""Interpreters that Windows installers have registered (PEP 514)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import winreg

    def registered_interpreters() -> Iterator[Path]:
        """Executables named under `Software\\Python\\COMPANY\\TAG\\InstallPath`, for this user and for all users."""
        for hive, view in (
            (winreg.HKEY_CURRENT_USER, 0),
            (winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WOW64_64KEY),
            (winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WOW64_32KEY),
        ):
            for company in _subkeys(hive, r"Software\Python", view):
                if company.rpartition("\\")[2] == "PyLauncher":  # reserved by PEP 514
                    continue
                for tag in _subkeys(hive, company, view):
                    executable = _executable(hive, rf"{tag}\InstallPath", view)
                    if executable is not None and executable.is_absolute():
                        yield executable

    def _subkeys(hive: int, key: str, view: int) -> list[str]:
        try:
            with winreg.OpenKeyEx(hive, key, 0, winreg.KEY_READ | view) as opened:
                count = winreg.QueryInfoKey(opened)[0]
                return [rf"{key}\{winreg.EnumKey(opened, index)}" for index in range(count)]
        except OSError:
            return []

    def _executable(hive: int, key: str, view: int) -> Path | None:
        try:
            with winreg.OpenKeyEx(hive, key, 0, winreg.KEY_READ | view) as opened:
                try:
                    return Path(winreg.QueryValueEx(opened, "ExecutablePath")[0])
                except OSError:
                    return Path(winreg.QueryValueEx(opened, "")[0]) / "python.exe"
        except (OSError, TypeError):
            return None

else:

    def registered_interpreters() -> Iterator[Path]:
        """Nothing: only Windows has a registry."""
        return iter(())
