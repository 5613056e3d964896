# ruff: noqa: PTH112, PTH113, PTH118, PTH120, PTH123
# mypy: allow-untyped-defs, allow-untyped-calls
"""Describe the Python that runs this: `TARGET -I -S -c SOURCE BEGIN END` prints BEGIN, JSON, END.

It must run on every Python since 2.6, so it has no annotations, no f-strings and only the oldest modules: an old
interpreter can only be told from a broken one if it can still answer.
"""

import json
import os
import platform
import struct
import sys
import sysconfig

# Modules that are built only if the headers of the C libraries they wrap are installed.
OPTIONAL = ("_bz2", "_ctypes", "_lzma", "_sqlite3", "_ssl", "zlib")


def full_version(info):
    """The version of PEP 508's `python_full_version` and `implementation_version`: 3.13.0rc2."""
    text = ".".join(str(part) for part in info[:3])
    return text if info[3] == "final" else text + info[3][0] + str(info[4])


def libc():
    """Name and version of the C library; `confstr` asks the running one, `platform.libc_ver` only guesses."""
    host = str(sysconfig.get_config_var("HOST_GNU_TYPE")) + str(sysconfig.get_config_var("SOABI"))
    if "musl" in host:
        return ["musl", ""]
    try:
        known = getattr(os, "confstr")("CS_GNU_LIBC_VERSION")  # noqa: B009 - Windows has none
    except (AttributeError, OSError, ValueError):
        return None
    return known.split() if known else None


def missing_modules():
    """The names in OPTIONAL that cannot be imported, and standard modules that distributions package separately."""
    missing = []
    for name in OPTIONAL:
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    stdlib = sysconfig.get_path("stdlib")
    if not os.path.isdir(os.path.join(stdlib, "ensurepip")):
        missing.append("ensurepip")
    # Debian leaves an empty distutils behind, so look for a part of it.
    if sys.version_info < (3, 12) and not os.path.isfile(os.path.join(stdlib, "distutils", "dist.py")):
        missing.append("distutils")
    return missing


def virtual_environment_home():
    """The folder of the base interpreter, if this one belongs to a virtual environment (PEP 405)."""
    folder = os.path.dirname(sys.executable or "")
    for config in (os.path.join(folder, "pyvenv.cfg"), os.path.join(os.path.dirname(folder), "pyvenv.cfg")):
        if folder and os.path.isfile(config):
            with open(config) as lines:
                for line in lines:
                    key, _, value = line.partition("=")
                    if key.strip().lower() == "home":
                        return value.strip()
    return None


def text(value):
    """A text that JSON can hold, even if Python 2 has bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def answer():
    """Everything envguard wants to know about an interpreter, as plain JSON values."""
    implementation = getattr(sys, "implementation", None)
    return {
        "version": list(sys.version_info),
        "full_version": full_version(sys.version_info),
        "implementation": implementation.name if implementation else platform.python_implementation().lower(),
        "implementation_name": platform.python_implementation(),
        "implementation_version": full_version(implementation.version if implementation else sys.version_info),
        "architecture": platform.machine(),
        "bits": struct.calcsize("P") * 8,
        "libc": libc(),
        "build": text(sys.version),
        "platform": sysconfig.get_platform(),
        "soabi": sysconfig.get_config_var("SOABI") or "",
        "debug": hasattr(sys, "gettotalrefcount"),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_system": platform.system(),
        "base_prefix": text(getattr(sys, "base_prefix", sys.prefix)),
        "executable": text(sys.executable or ""),
        "virtual_environment_home": text(virtual_environment_home()),
        "missing_modules": missing_modules(),
    }


if __name__ == "__main__":
    sys.stdout.write(sys.argv[1] + json.dumps(answer()) + sys.argv[2])
    sys.stdout.flush()
