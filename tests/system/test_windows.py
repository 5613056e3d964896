"""What is for Windows alone and can be told without it: sizes, codes, characters, lengths, and where programs lie."""

from __future__ import annotations

import ctypes
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.running.ending import ending
from envguard.system.exit_codes import as_ours
from envguard.system.long_paths import BELOW_STORE, MOST, longest_path, why_too_long
from envguard.system.plain_letters import errors_for
from envguard.system.programs import program_of
from envguard.system.windows_jobs import BasicLimits, ExtendedLimits

CHECKOUT = str(Path(__file__).parents[2])


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the sizes are those of 64 bits")
def test_the_limits_of_a_job_have_the_layout_that_windows_reads() -> None:
    assert (ctypes.sizeof(BasicLimits), ctypes.sizeof(ExtendedLimits)) == (64, 144)
    assert (BasicLimits.flags.offset, BasicLimits.affinity.offset) == (16, 48)


@pytest.mark.parametrize(("code", "ours"), [(0, 0), (3, 3), (0xC0000005, -1073741819), (0xC000013A, 130)])
def test_an_exit_code_can_be_passed_on(code: int, ours: int) -> None:
    assert as_ours(code) == ours
    assert -(1 << 31) <= as_ours(code) < 1 << 31


def test_a_crash_is_named_by_its_cause() -> None:
    assert ending(0xC0000005) == "ended by an access violation (exit code 0xc0000005)"
    assert ending(0xC0000135) == "ended by a DLL that was not found (exit code 0xc0000135)"
    assert ending(3) == "ended with exit code 3"


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "latin-1"])
def test_a_stream_without_our_characters_gets_plain_ones(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=errors_for(encoding, "strict"))
    stream.write("3.758 → 1.636 MB, 0.86 × … 漢")
    stream.flush()
    written = raw.getvalue().decode(encoding)
    assert written.startswith("3.758 -> 1.636 MB, 0.86 ")
    assert written.endswith("\\u6f22")


def test_a_stream_that_has_them_is_left_as_it_is() -> None:
    assert errors_for("utf-8", "strict") == "strict"
    assert errors_for("utf-16", "surrogateescape") == "surrogateescape"


def test_a_command_ends_well_where_the_output_has_no_arrow() -> None:
    program = (
        "import io, os, sys; sys.path.insert(0, sys.argv[1]);"
        "sys.stdout = open(1, 'w', encoding='cp1252', closefd=False);"
        "from envguard.streams import printing_never_fails\n"
        "with printing_never_fails(): print('2.19 → 2.20')"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", program, CHECKOUT], capture_output=True, check=False)
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, b"2.19 -> 2.20", b"")


def test_a_store_may_be_as_deep_as_its_files_allow() -> None:
    room = MOST - BELOW_STORE
    assert why_too_long("C" * room, MOST) == ""
    assert f"its name has {room + 1} characters" in why_too_long("C" * (room + 1), MOST)
    assert why_too_long("C" * 1000, None) == ""
    # The one that Windows users get without a choice, for a name of up to 20 characters.
    assert why_too_long("C:\\Users\\" + "n" * 20 + "\\AppData\\Local\\envguard\\Cache", MOST) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="it is about all others")
def test_elsewhere_paths_are_as_long_as_they_are() -> None:
    assert longest_path() is None


def test_a_program_is_looked_for_on_the_path_that_it_will_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = tmp_path / "environment", tmp_path / "here"
    for folder in (own, other):
        folder.mkdir()
        (folder / "tool").write_text("#!/bin/sh\n")
        (folder / "tool").chmod(0o755)
    monkeypatch.chdir(other)
    environ = {"PATH": os.pathsep.join(["", str(own), "/usr/bin"])}
    assert program_of("tool", environ) == str(own / "tool")
    assert program_of("no-such-tool", environ) is None
    assert program_of("tool", {"PATH": ""}) is None, "the current folder is nobody's environment"
    assert program_of("./tool", environ) == "./tool"
