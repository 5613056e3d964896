"""What is excused of native modules is data: each entry says where that is written."""

from __future__ import annotations

from fnmatch import fnmatchcase

from envguard.host.provided import system_libraries


def kinds(system: str, name: str) -> list[str]:
    every = (each for each in system_libraries().libraries if each.system == system)
    return [each.kind for each in every if any(fnmatchcase(name, pattern) for pattern in each.names)]


def test_every_entry_has_a_source_and_what_must_be_installed_has_a_name() -> None:
    libraries, optional = system_libraries().libraries, system_libraries().optional
    assert all(each.source and each.names for each in libraries)
    assert all(each.source and each.paths and each.why for each in optional)
    assert all(bool(each.what) for each in libraries if each.kind in ("package", "redistributable", "driver"))
    assert all(name == name.lower() for each in libraries if each.system == "windows" for name in each.names)


def test_what_the_system_brings_is_told_from_what_must_be_installed() -> None:
    assert kinds("linux", "libc.so.6") == ["system"]
    assert kinds("linux", "libEGL.so.1") == ["package"]
    assert kinds("linux", "libcuda.so.1") == ["driver"]
    assert kinds("macos", "/usr/lib/libc++.1.dylib") == ["system"]
    assert kinds("macos", "@rpath/libc++.1.dylib") == ["system"], "the loader's last resort is /usr/lib"
    assert kinds("windows", "vcruntime140.dll") == ["python"]
    assert kinds("windows", "vcruntime140_threads.dll") == ["redistributable"]


def test_what_nobody_brings_is_not_excused() -> None:
    assert kinds("macos", "@rpath/libpywrap_litert_common.dylib") == []
    assert kinds("macos", "/opt/homebrew/lib/libomp.dylib") == []
    assert kinds("linux", "libpywrap_litert_common.so") == []
    assert kinds("windows", "pywrap_litert_common.dll") == []
    assert kinds("windows", "python310.dll") == []
