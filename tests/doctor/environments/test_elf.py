"""ELF files as this system has them, and files that only look like them."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from envguard.doctor.environments.elf import read_elf
from envguard.host.linker import find_library, system_folders, versions_in

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ELF files are looked at on Linux")


def test_the_c_library_is_found_and_knows_its_versions() -> None:
    libc = find_library("libc.so.6")
    if libc is None:
        pytest.skip("a C library of another name")
    facts = read_elf(libc)
    assert facts is not None
    assert (facts.machine, facts.bits) == (platform.machine(), 64)
    assert "GLIBC_2.17" in versions_in(libc)
    assert libc.parent in system_folders()


def test_an_extension_module_tells_what_it_needs() -> None:
    import _ctypes

    path = getattr(_ctypes, "__file__", None)
    if path is None:
        pytest.skip("built into this Python")
    facts = read_elf(Path(path))
    assert facts is not None
    assert any(name.startswith("libc.so") for name in facts.needed)
    assert any(version.startswith("GLIBC_2.") for _, version in facts.versions)


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\0" * 10, b"\x7fELF\x02\x01" + b"\xff" * 5000, b"text"]
)
def test_what_is_none_is_no_elf_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(content)
    facts = read_elf(path)
    assert facts is None or facts.needed == ()


def test_every_cut_of_a_real_file_is_read_without_an_error(tmp_path: Path) -> None:
    libc = find_library("libm.so.6")
    if libc is None:
        pytest.skip("a C library of another name")
    content = libc.read_bytes()
    path = tmp_path / "cut.so"
    for length in range(1, 9000, 97):
        path.write_bytes(content[:length])
        read_elf(path)


def test_a_library_that_nobody_has_is_not_found(tmp_path: Path) -> None:
    assert find_library("libnobodyhas.so.9") is None
    (tmp_path / "libnobodyhas.so.9").touch()
    assert find_library("libnobodyhas.so.9", [tmp_path]) == tmp_path / "libnobodyhas.so.9"
