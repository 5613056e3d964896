"""What an environment on a Mac or on Windows lacks is found by reading its files, on any system."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from envguard.doctor.environments.elsewhere import mach_o_findings, pe_findings
from envguard.doctor.environments.installed import NATIVE
from envguard.doctor.environments.mach_o import read_mach_o
from envguard.doctor.environments.pe import read_pe
from tests.support.environments import workshop
from tests.support.fetched import fetched

LITERT_ON_MACS = "912bc6c273177165ad4ab6b52d6165f24ad74e8a4a7f16bb98ad0b55f44becb3"
LITERT_ON_WINDOWS = "ffee5993b859580650e844fce322e93b7abf50dfa36fd0fcbde41e079d1eebe3"


def natives(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.*")) if NATIVE.fullmatch(path.name)]


def unpacked(store_home: Path, folder: Path, version: str, platform: str, sha256: str) -> Path:
    wheel = fetched(workshop(store_home), folder, f"ai-edge-litert=={version}", platform, sha256)
    site_packages = folder / "lib" / "python3.11" / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    return site_packages


@pytest.mark.network
@pytest.mark.slow
def test_the_library_that_litert_lacks_on_macs_is_found_and_no_other(store_home: Path, tmp_path: Path) -> None:
    modules = natives(unpacked(store_home, tmp_path, "2.0.3", "macosx_12_0_arm64", LITERT_ON_MACS))
    (part,) = read_mach_o(modules[0])
    assert (part.machine, part.minimum, part.signed) == ("arm64", "15.2", True)
    (finding,) = mach_o_findings(modules, tmp_path, "arm64")
    assert finding.what == "@rpath/libpywrap_litert_common.dylib is missing on this system"
    assert finding.level == "finding"
    (other,) = mach_o_findings(modules, tmp_path, "x86_64")
    assert "11 native modules are not for x86_64" in other.what


@pytest.mark.network
@pytest.mark.slow
def test_the_redistributable_is_found_to_be_missing_where_windows_does_not_have_it(
    store_home: Path, tmp_path: Path
) -> None:
    modules = natives(unpacked(store_home, tmp_path, "2.3.0", "win_amd64", LITERT_ON_WINDOWS))
    assert all((found := read_pe(path)) is not None and found.machine == "x86_64" for path in modules)
    python = tmp_path / "python"
    python.mkdir()
    (python / "python311.dll").touch()
    findings = list(pe_findings(modules, tmp_path, "x86_64", (python,)))
    assert [each.what.split()[0].lower() for each in findings] == ["msvcp140.dll", "vcruntime140_threads.dll"]
    assert all("Visual C++ redistributable" in each.remedy for each in findings)
    system = tmp_path / "System32"
    system.mkdir()
    for each in findings:
        (system / each.what.split()[0]).touch()
    assert list(pe_findings(modules, tmp_path, "x86_64", (python, system))) == []


def test_what_is_no_native_module_says_nothing(tmp_path: Path) -> None:
    for name, content in (("a.so", b""), ("b.dylib", b"\xca\xfe\xba\xbe\0\0\0\x34"), ("c.dll", b"MZ" + bytes(70))):
        (tmp_path / name).write_bytes(content)
        assert read_mach_o(tmp_path / name) == ()
        assert read_pe(tmp_path / name) is None
