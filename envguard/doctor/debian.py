"""Name the Debian package of a shared library: most follow from the library's name (Debian Policy, 8.1)."""

from __future__ import annotations

import re

# Those that do not follow, and what only a package of another name brings.
_NAMED = {
    "libz.so.1": "zlib1g",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libgcc_s.so.1": "libgcc-s1",
    "libcrypto.so.1.1": "libssl1.1",
    "libssl.so.1.1": "libssl1.1",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "libcrypt.so.1": "libcrypt1",
    "libbz2.so.1.0": "libbz2-1.0",
    "libpq.so.5": "libpq5",
    "libmysqlclient.so.21": "default-libmysqlclient-dev",
    "libGLdispatch.so.0": "libglvnd0",
    "libnss3.so": "libnss3",
    "libasound.so.2": "libasound2",
    "libodbc.so.2": "libodbc2",
    "libcairo.so.2": "libcairo2",
    "libmagic.so.1": "libmagic1",
    "libwebp.so.7": "libwebp7",
    "libaio.so.1": "libaio1",
}
_SONAME = re.compile(r"lib(?P<name>[A-Za-z0-9_.+-]+?)\.so\.(?P<version>[0-9]+)[0-9.]*")
_DASHED = re.compile(r"lib(?P<name>[A-Za-z0-9_.+-]+?)-(?P<version>[0-9][0-9.]*)\.so")


def package_of(soname: str) -> str:
    """The package that brings a library; empty if the name does not tell."""
    if soname in _NAMED:
        return _NAMED[soname]
    found = _SONAME.fullmatch(soname) or _DASHED.fullmatch(soname)
    if found is None:
        return ""
    name = found["name"].lower().replace("_", "-")
    return f"lib{name}{'-' if name[-1].isdigit() else ''}{found['version']}"
