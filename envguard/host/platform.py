"""The wheel tags and marker values of an interpreter, without starting it."""

from __future__ import annotations

import platform
import sysconfig
from collections.abc import Iterator

from packaging import tags
from packaging.tags import Tag

from envguard.host.interpreters import Interpreter
from envguard.platform_tags import linux_tags


def supported_tags(interpreter: Interpreter) -> tuple[Tag, ...]:
    """The wheel tags that the interpreter supports, best first, in the order pip would use inside it."""
    version = interpreter.version[:2]
    platforms = tuple(_platform_tags(interpreter))
    if interpreter.implementation == "cpython":
        name = "cp" + _digits(interpreter)
        own = tags.cpython_tags(version, abis=_cpython_abis(interpreter), platforms=platforms)
    else:
        short = tags.INTERPRETER_SHORT_NAMES.get(interpreter.implementation, interpreter.implementation)
        name = short + _digits(interpreter)
        own = tags.generic_tags(name, abis=[_generic_abi(interpreter)], platforms=platforms)
    # Both yield PY-none-any; the first occurrence counts.
    return tuple(dict.fromkeys((*own, *tags.compatible_tags(version, interpreter=name, platforms=platforms))))


def marker_environment(interpreter: Interpreter) -> dict[str, str]:
    """The values of PEP 508's markers inside the interpreter, without `extra`."""
    facts = interpreter.facts
    return {
        "implementation_name": facts.implementation,
        "implementation_version": facts.implementation_version,
        "os_name": facts.os_name,
        "platform_machine": facts.architecture,
        "platform_python_implementation": facts.implementation_name,
        # Not part of the interpreter's cached answer: the kernel may change when the host is restarted.
        "platform_release": platform.release(),
        "platform_system": facts.platform_system,
        "platform_version": platform.version(),
        "python_full_version": facts.full_version,
        "python_version": ".".join(map(str, facts.version[:2])),
        "sys_platform": facts.sys_platform,
    }


def _digits(interpreter: Interpreter) -> str:
    return "".join(map(str, interpreter.version[:2]))


def _cpython_abis(interpreter: Interpreter) -> list[str]:
    """The ABI tags of a CPython; since 3.8, a debug build also accepts release wheels."""
    release = "cp" + _digits(interpreter) + ("t" if interpreter.facts.free_threaded else "")
    if interpreter.version < (3, 8):
        release += "m"
    return [release + "d", release] if interpreter.facts.debug else [release]


def _generic_abi(interpreter: Interpreter) -> str:
    """`pypy39-pp73-x86_64-linux-gnu` → `pypy39_pp73`, as `packaging.tags` does for its own interpreter."""
    return "_".join(interpreter.facts.soabi.split("-")[:2])


def _platform_tags(interpreter: Interpreter) -> Iterator[str]:
    """The platform tags of the host, or the few that are certain for an interpreter of another kind than ours."""
    ours = sysconfig.get_platform()
    if interpreter.base is not None and interpreter.facts.libc is not None and not _is_musl(interpreter):
        # An image has its own C library.
        major, minor = interpreter.facts.libc[1].split(".")[:2]
        yield from linux_tags("manylinux", int(major), int(minor), interpreter.architecture)
    elif interpreter.facts.platform == ours and _is_musl(interpreter) == _are_we_musl():
        yield from tags.platform_tags()
    elif interpreter.facts.sys_platform == "darwin":
        # The interpreter may be for the other architecture, or be built for an older macOS than ours.
        yield from tags.mac_platforms(arch=interpreter.architecture)
    else:
        yield interpreter.facts.platform.replace("-", "_").replace(".", "_")


def _is_musl(interpreter: Interpreter) -> bool:
    return interpreter.facts.libc is not None and interpreter.facts.libc[0] == "musl"


def _are_we_musl() -> bool:
    return "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")) + str(sysconfig.get_config_var("SOABI"))
