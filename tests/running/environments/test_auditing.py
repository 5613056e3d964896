"""An audit finds what keeps native modules from loading, in wheels of any platform, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.locks.audited_platforms import audited_platform
from envguard.payload.contract import AuditFinding, AuditFindings
from envguard.running.environments.auditing import Auditor
from tests.support.environments import workshop
from tests.support.fetched import fetched

pytestmark = [pytest.mark.network, pytest.mark.slow]

# It uses the C library, without which a compiler may not link to it; then a symbol without a version could be its own.
MODULE = 'int puts(const char *); int other(void); void *PyInit_one(void) { puts(""); other(); return 0; }'
LINUX = "one-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"


@pytest.fixture(scope="module")
def auditor(store_home: Path) -> Auditor:
    shop = workshop(store_home)
    return Auditor(shop, shop)


def compiled(folder: Path, name: str, source: str, *options: str) -> Path:
    """A shared library made here; tests that need one are for machines with a C compiler."""
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("there is no C compiler for ELF here")
    code = folder / f"{name}.c"
    code.write_text(source)
    made = folder / name
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, code, *options], check=True, cwd=folder)
    return made


def wheel(folder: Path, name: str, files: Mapping[str, Path | bytes]) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content if isinstance(content, bytes) else content.read_bytes())
    return path


def found(auditor: Auditor, platform: str, *wheels: Path) -> AuditFindings:
    return auditor.read(wheels, "3.11", audited_platform(platform))


def errors(findings: AuditFindings) -> list[AuditFinding]:
    return [each for each in findings.findings if each.level == "error"]


def linked(folder: Path, search: str = "$ORIGIN") -> tuple[Path, Path]:
    """A module as Python imports them, and the library that it is linked to."""
    library = compiled(folder, "libother.so.1", "int other(void) { return 1; }", "-Wl,-soname,libother.so.1")
    module = compiled(folder, "one.so", MODULE, "libother.so.1", f"-Wl,-rpath,{search}")
    return module, library


def test_a_library_in_none_of_the_wheels_is_an_error_that_names_who_cannot_load(
    auditor: Auditor, tmp_path: Path
) -> None:
    module, library = linked(tmp_path)
    whole = wheel(tmp_path, LINUX, {"one/one.so": module, "one/libother.so.1": library})
    assert found(auditor, "linux-x86_64", whole).findings == ()
    (error,) = errors(found(auditor, "linux-x86_64", wheel(tmp_path, LINUX, {"one/one.so": module})))
    assert (error.check, error.modules) == ("missing-library", ("one/one.so",))
    assert "libother.so.1 is in none of the wheels" in error.text
    assert "1 module cannot load" in error.text


def test_a_library_where_the_loader_does_not_look_is_a_note(auditor: Auditor, tmp_path: Path) -> None:
    module, library = linked(tmp_path)
    (note,) = found(
        auditor, "linux-x86_64", wheel(tmp_path, LINUX, {"one/one.so": module, "far/libother.so.1": library})
    ).findings
    assert (note.check, note.level) == ("out-of-reach", "note")


def test_a_symbol_that_a_file_of_the_wheels_lost_is_an_error(auditor: Auditor, tmp_path: Path) -> None:
    module, _ = linked(tmp_path)
    other = tmp_path / "newer"
    other.mkdir()
    newer = compiled(other, "libother.so.1", "int another(void) { return 1; }", "-Wl,-soname,libother.so.1")
    files = {"one/one.so": module, "one/libother.so.1": newer}
    (error,) = errors(found(auditor, "linux-x86_64", wheel(tmp_path, LINUX, files)))
    assert error.check == "missing-symbol"
    assert error.text.endswith("takes: other")


def test_a_symbol_version_that_a_file_of_the_wheels_lost_is_an_error(auditor: Auditor, tmp_path: Path) -> None:
    libraries = {}
    for version in ("OTHER_1", "OTHER_2"):
        folder = tmp_path / version
        folder.mkdir()
        (folder / "map").write_text(f"{version} {{ global: other; }};")
        options = ("-Wl,-soname,libother.so.1", "-Wl,--version-script,map")
        libraries[version] = compiled(folder, "libother.so.1", "int other(void) { return 1; }", *options)
    module = compiled(tmp_path, "one.so", MODULE, str(libraries["OTHER_2"]), "-Wl,-rpath,$ORIGIN")
    for version, wrong in (("OTHER_2", False), ("OTHER_1", True)):
        files = {"one/one.so": module, "one/libother.so.1": libraries[version]}
        said = errors(found(auditor, "linux-x86_64", wheel(tmp_path, LINUX, files)))
        assert ["OTHER_2" in each.text for each in said] == ([True] * len(said) if wrong else [])
        assert bool(said) == wrong


def test_a_module_for_another_processor_is_an_error_and_data_is_not(auditor: Auditor, tmp_path: Path) -> None:
    module, library = linked(tmp_path)
    arm = "one-1.0-cp311-cp311-manylinux_2_17_aarch64.whl"
    (error,) = errors(found(auditor, "linux-aarch64", wheel(tmp_path, arm, {"one/one.so": module})))
    assert error.check == "processor"
    assert "for x86_64 only" in error.text
    assert not errors(found(auditor, "linux-aarch64", wheel(tmp_path, arm, {"one/data.so": library})))
    pure = wheel(tmp_path, "one-1.0-py3-none-any.whl", {"one/one.so": module})
    assert not errors(found(auditor, "linux-aarch64", pure)), "what is native in it is data"


def test_a_file_that_is_no_module_is_an_error(auditor: Auditor, tmp_path: Path) -> None:
    (error,) = errors(found(auditor, "linux-x86_64", wheel(tmp_path, LINUX, {"one/one.so": b"version https://" * 9})))
    assert error.check == "damaged"


MAC = "macosx_12_0_arm64"
LITERT = {
    "1.4.0": ("13183b189282057ebe043ee2a4ca7c641ae035b3756f7a77344fe6045616ffcf", 10),
    "2.0.2": ("1672e57f26bd8fc2f61122b82f0b0a1b0bd81935553abfc56e95b36316645045", 11),
    "2.0.3": ("912bc6c273177165ad4ab6b52d6165f24ad74e8a4a7f16bb98ad0b55f44becb3", 11),
    "2.1.1": ("8c32214ee34202d8d46066f73c69ad0a258583852fb7d7ac55105683e3127028", 0),
    "2.1.4": ("72d14997d3ae976bf325c9831f1a7bf42cddfe575d8351ff3c516a294aa5d810", 0),
    "2.2.0": ("60831e57ce2887db83783bcff2cd5e33b24e3b37b23ff29d7b68c511e20f6a5b", 0),
    "2.3.0": ("da19cb1ad08d5113600d1038fbe7390e74e38fcb3e92af86d56a60120343e6d2", 0),
}
ON_WINDOWS = "ffee5993b859580650e844fce322e93b7abf50dfa36fd0fcbde41e079d1eebe3"


@pytest.mark.parametrize("version", LITERT)
def test_what_litert_lacked_on_macs_is_found_in_its_wheels(auditor: Auditor, tmp_path: Path, version: str) -> None:
    sha256, unable = LITERT[version]
    said = errors(
        found(auditor, "macos-arm64", fetched(auditor.tools, tmp_path, f"ai-edge-litert=={version}", MAC, sha256))
    )
    if not unable:
        assert said == []
        return
    (error,) = said
    assert error.check == "missing-library"
    assert error.text.startswith("@rpath/libpywrap_litert_common.dylib is in none of the wheels")
    assert error.text.endswith(f"{unable} modules cannot load")
    assert len(error.modules) == unable


def test_the_redistributable_that_litert_needs_on_windows_is_a_note_that_names_its_dlls(
    auditor: Auditor, tmp_path: Path
) -> None:
    findings = found(
        auditor, "windows-x86_64", fetched(auditor.tools, tmp_path, "ai-edge-litert==2.3.0", "win_amd64", ON_WINDOWS)
    )
    assert errors(findings) == []
    notes = [each.text for each in findings.findings if each.check == "redistributable-library"]
    assert any("MSVCP140.dll, VCRUNTIME140_THREADS.dll: the Visual C++ redistributable" in each for each in notes)


def test_a_page_that_is_not_what_was_signed_is_an_error_on_macs_with_arm64(auditor: Auditor, tmp_path: Path) -> None:
    good = fetched(auditor.tools, tmp_path, "ai-edge-litert==2.1.1", MAC, LITERT["2.1.1"][0])
    with zipfile.ZipFile(good) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = "ai_edge_litert/_pywrap_string_util.so"
    broken = bytearray(files[name])
    broken[0x4000] ^= 1  # in a page of the first segment's end: no load command is there
    files[name] = bytes(broken)
    changed = tmp_path / "changed"
    changed.mkdir()
    (error,) = errors(found(auditor, "macos-arm64", wheel(changed, good.name, dict(files))))
    assert error.check == "signature"
    assert "is not what was signed" in error.text
    assert error.modules == (name,)
