"""Whether files deep below a folder can be opened: Windows takes paths of 259 characters unless told otherwise."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import winreg

MOST = 259
"""Characters of a path, by Windows' MAX_PATH of 260 with its end."""

BELOW_STORE = 200
"""Characters of the longest path below the store, with its separator.

On Linux, 208 were measured (bytecode of quantize 0.10 on Python 3.11); Windows' `Lib\\site-packages` is 11 shorter.
"""

ALLOW = (
    "reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\FileSystem /v LongPathsEnabled /t REG_DWORD /d 1 /f"
    "   (as administrator, then sign in again)"
)


def longest_path() -> int | None:
    """How long a path may be here, in characters; None if that never matters."""
    return None if _is_unlimited() else MOST


def why_too_long(store: str, most: int | None) -> str:
    """Why environments in a store would have files that cannot be opened; empty if they would not."""
    if most is None or len(store) + BELOW_STORE <= most:
        return ""
    return (
        f"its name has {len(store)} characters, files below it have up to {BELOW_STORE} more, and Windows opens paths "
        f"of at most {most}"
    )


def _is_unlimited() -> bool:
    if sys.platform == "win32":
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
                return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0] == 1)
        except OSError:
            return False
    return True
