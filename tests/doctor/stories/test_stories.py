"""What the readers of stories tell of which words, kind by kind."""

from __future__ import annotations

import time

import pytest

from envguard.doctor.rules import builtin_rules
from envguard.doctor.stories.told import STORIES, Told, read_story


def told(story: str, text: str, row: int = 0) -> Told | None:
    return read_story(story, text.splitlines(), row)


def kind_of(story: str, text: str, row: int = 0) -> str:
    found = told(story, text, row)
    return found.kind if found else ""


IGNORED = "ERROR: Ignored the following versions that require a different python version: "


def pip(ignored: str, wanted: str) -> str:
    wanted = f"ERROR: Could not find a version that satisfies the requirement {wanted} (from versions: none)"
    return f"{IGNORED}{ignored}\n{wanted}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (pip("1.0 Requires-Python >=3.12; 1.1 Requires-Python >=3.13", "demo"), "too_old"),
        (pip("1.0 Requires-Python <3.12,>=3.7; 1.1 Requires-Python <3.13,>=3.7", "demo"), "too_new"),
        (pip("1.0 Requires-Python >=3.11,<3.12", "demo"), "outside"),
        (pip("1.0 Requires-Python >=2.7, !=3.0.*, <3.5", "demo==1.0"), "too_new"),
        (pip("9.0 Requires-Python >=3.11", "demo==3.0"), ""),
        (
            "No solution found when resolving dependencies for split (markers: python_full_version == '3.9.*'):\n"
            "  ╰─▶ Because the requested Python version (>=3.9) does not satisfy Python>=3.10 and demo==1.0 depends",
            "too_old",
        ),
        ("Because the current Python version (3.9.6) does not satisfy Python>=3.10 and you require it", "too_old"),
        ("Because the current Python version (3.12.3) does not satisfy Python>=3.11,<3.12 and you", "too_new"),
        (
            "Because the requested Python version (>=3.8) does not satisfy\n      Python>=3.10 and your project",
            "project",
        ),
        ("ERROR: Package 'demo' requires a different Python: 3.13.0 not in '<3.13,>=3.8'", "too_new"),
        ("Django requires Python '>=3.5' but the running Python is 3.4.10", "too_old"),
        ("RuntimeError: Cannot install on Python version 3.13.1; only versions >=3.6,<3.10 are supported.", "too_new"),
        ("ERROR: This script does not work on Python 3.7. The minimum supported Python version is 3.9.", "too_old"),
    ],
)
def test_a_python_is_told_to_be_too_old_or_too_new(text: str, kind: str) -> None:
    assert kind_of("python_range", text) == kind


def test_the_range_is_that_of_the_version_that_was_asked_for() -> None:
    found = told("python_range", pip("1.0 Requires-Python >=3.11; 2.0 Requires-Python >=3.12", "demo==1.0"))
    assert found is not None
    assert found.values["range"] == ">=3.11"


@pytest.mark.parametrize(
    ("text", "kind", "file"),
    [
        (
            'Traceback (most recent call last):\n  File "scripts/random.py", line 1, in <module>\n    import numpy\n'
            '  File "/usr/lib/python3.6/tempfile.py", line 45, in <module>\n    from random import Random as _Random\n'
            "ImportError: cannot import name 'Random'",
            "shadowed",
            "scripts/random.py",
        ),
        (
            "AttributeError: module 'numpy' has no attribute 'array' (consider renaming '/home/user/numpy.py' if",
            "shadowed",
            "/home/user/numpy.py",
        ),
        (
            "ImportError: cannot import name 'x' from partially initialized module 'pkg.core' (most likely due to a "
            "circular import) (/lib/python3.12/site-packages/pkg/core.py)",
            "",
            "",
        ),
        (
            'Traceback (most recent call last):\n  File "/home/user/app.py", line 1, in <module>\n'
            "AttributeError: module 'numpy' has no attribute 'bool'",
            "",
            "",
        ),
        (
            'Traceback (most recent call last):\n  File "/e/lib/python3.12/site-packages/cv2.py", line 1, in <module>\n'
            "AttributeError: module 'cv2' has no attribute 'imread'",
            "",
            "",
        ),
    ],
)
def test_only_an_own_file_of_the_modules_name_hides_it(text: str, kind: str, file: str) -> None:
    found = told("shadowing", text, len(text.splitlines()) - 1)
    assert (found.kind, found.values["file"]) == (kind, file) if found else (kind, file) == ("", "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "dlopen(a.so, 2): tried: 'a.so' (is an\nincompatible architecture (have 'x86_64', need 'arm64'))",
            "architecture",
        ),
        (
            "dyld: Library not loaded: 'b'\n tried: 'b' (code signature in <1> 'b' not valid for use in process: x)",
            "signature",
        ),
        ("dlopen(a.so, 6): Library not loaded: @rpath/libtorch.dylib", "library"),
        ("dlopen(a.so, 2): Symbol not found: _PyCMethod_New", "symbol"),
        ("tried: 'a.so' (duplicate LC_RPATH '/opt/lib')", "rpath"),
        ("dlopen(a.so, 2): tried: 'a.so' (no such file)", ""),
    ],
)
def test_of_what_macos_tried_the_telling_reason_counts(text: str, kind: str) -> None:
    assert kind_of("mach_o_loading", text) == kind


def test_a_build_is_explained_by_its_first_error_and_not_by_its_last_line() -> None:
    text = (
        "Building wheel for demo (setup.py): started\n  CMake Error at CMakeLists.txt:8 (find_package):\n"
        '    Could not find a package configuration file provided by "Torch"\n  ninja: build stopped\n'
        "  subprocess.CalledProcessError: Command cmake returned 1\nERROR: Failed building wheel for demo"
    )
    found = told("building", text, 5)
    assert found is not None
    assert (found.row, found.kind) == (1, "failed")
    assert found.values["error"].endswith('provided by "Torch"')


def test_a_module_that_a_build_lacks_is_told_from_one_that_a_program_lacks() -> None:
    missing = "ModuleNotFoundError: No module named 'numpy'"
    assert kind_of(
        "building", f'  File "/c/setuptools/build_meta.py", line 3, in get_requires_for_build_wheel\n{missing}', 1
    )
    assert not kind_of("building", f'  File "app.py", line 3, in <module>\n{missing}', 1)


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("libGL.so.1", "`apt-get install libgl1`"),
        ("libxcb-cursor.so.0", "`apt-get install libxcb-cursor0`"),
        ("libSM.so.6", '`dnf install "libSM.so.6()(64bit)"`'),
        ("libcrypt.so.1", "`pacman -S libxcrypt-compat`"),
        ("libssl.so.1.0.2", "OpenSSL 1.0 has ended"),
        ("libfrobnicate.so.3", "`apt-get install libfrobnicate3`"),
    ],
)
def test_a_missing_library_is_named_with_its_package(library: str, said: str) -> None:
    found = told("shared_libraries", f"ImportError: {library}: cannot open shared object file: No such file")
    assert found is not None
    assert said in found.values["install"]


def test_alpine_finds_a_package_by_its_library() -> None:
    found = told("shared_libraries", "Error loading shared library libstdc++.so.6: No such file (needed by /x.so)")
    assert found is not None
    assert found.values["install"] == "Install it (Alpine: `apk add so:libstdc++.so.6`)."


@pytest.mark.parametrize("story", STORIES)
def test_no_row_makes_a_story_slow(story: str) -> None:
    words = {literal for rule in builtin_rules() if rule.story == story for literal in rule.literals}
    began = time.process_time()
    for word in words:
        for part in ("a", " ", "(", "/", ">=3.1,", "1.0 Requires-Python >=3.1; ", "have 'x', "):
            rows = [(word + part * 4000)[:4000]] * 20
            read_story(story, rows, 10)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("No module named 'tomllib'", "newer", {"what": "tomllib", "python": "3.11"}),
        ("cannot import name 'Self' from 'typing' (/usr/lib/python3.10/typing.py)", "newer", {"python": "3.11"}),
        ("from typing import Any, Self\nImportError: cannot import name 'Self'", "newer", {"what": "typing.Self"}),
        ("module 'inspect' has no attribute 'getargspec'. Did you mean: 'getargs'?", "older", {"python": "3.10"}),
        ("web-1  | No module named 'telnetlib'", "older", {"python": "3.12"}),
        ("module 'asyncio' has no attribute 'nothing'", "other", {"what": "asyncio.nothing"}),
        ("cannot import name 'float_' from 'numpy'", "", {}),
        ("No module named 'telnetlib3'", "", {}),
        ("No module named 'tomllib.nothing'; 'tomllib' is not a package", "", {}),
    ],
)
def test_what_python_itself_lacks_is_told_from_what_is_not_installed(
    text: str, kind: str, values: dict[str, str]
) -> None:
    found = told("standard_library", text)
    assert (found.kind if found else "") == kind
    assert found is None or values.items() <= found.values.items()
