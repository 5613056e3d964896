"""Every real interpreter is found where it lives, shown once, and judged by its own answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.host.discovery import discover, examine
from envguard.host.interpreters import HostFacts
from envguard.host.locations import PossibleInterpreter
from tests.support.pythons import (
    PYENV_VERSIONS,
    MakeProgram,
    on_path,
    private_copy,
    pyenv_python,
    running_python,
)


def with_minor(facts: HostFacts, version: str) -> list[Path]:
    return [row.real_path for row in facts.interpreters if row.version_text == version]


def test_the_interpreter_under_envguard_is_always_found(tmp_path: Path) -> None:
    facts = discover({}, home=tmp_path, store=None)
    own = [row for row in facts.interpreters if "envguard" in row.found_in]
    assert [row.real_path for row in own] == [running_python()]
    assert own[0].version == tuple(sys.version_info)
    assert own[0].facts.build == sys.version


def test_inactive_pyenv_versions_are_found_in_the_store_and_once_each(tmp_path: Path) -> None:
    installed = sorted(PYENV_VERSIONS.glob("3.*/bin/python3"))
    if not installed:
        pytest.skip(f"no versions in {PYENV_VERSIONS}")
    facts = discover({"PATH": "", "PYENV_ROOT": str(PYENV_VERSIONS.parent)}, home=tmp_path, store=None)
    found = sorted(row.real_path for row in facts.interpreters if "pyenv" in row.found_in)
    assert found == sorted({python.resolve() for python in installed} | set(found))
    assert len(found) == len(set(found))
    for python in installed:
        assert with_minor(facts, python.parent.parent.name) == [python.resolve()]


@pytest.mark.parametrize("minor", ["2.7", "3.6", "3.7", "3.8"])
def test_an_old_python_still_says_what_it_is(environ: dict[str, str], minor: str) -> None:
    (interpreter,) = examine(on_path(pyenv_python(minor)), environ, cache=None).interpreters
    assert interpreter.version_text.startswith(minor)
    assert interpreter.implementation == "cpython"
    assert interpreter.reasons == ("Too old: Python 3.9 or newer is needed.",)
    assert interpreter.notes == ()


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_a_supported_python_can_be_used(environ: dict[str, str], minor: str) -> None:
    (interpreter,) = examine(on_path(pyenv_python(minor)), environ, cache=None).interpreters
    assert interpreter.usable
    assert interpreter.version_text.startswith(minor)


def test_all_names_of_one_interpreter_are_one_row(tmp_path: Path, environ: dict[str, str]) -> None:
    real = running_python()
    link = tmp_path / "python3"
    link.symlink_to(real)
    found = [*on_path(link, real), PossibleInterpreter("system", real)]
    (interpreter,) = examine(found, environ, cache=None).interpreters
    assert interpreter.path == real
    assert interpreter.aliases == (link,)
    assert interpreter.found_in == ("PATH", "system")


def test_a_wrapper_is_the_interpreter_that_it_starts(make_program: MakeProgram, environ: dict[str, str]) -> None:
    wrapper = make_program("python3", f'#!/bin/sh\nexec {running_python()} "$@"\n')
    (interpreter,) = examine(on_path(wrapper), environ, cache=None).interpreters
    assert interpreter.real_path == running_python()
    assert interpreter.path == running_python()


@pytest.mark.parametrize("minor", ["3.9", "3.11", "3.13"])
@pytest.mark.parametrize("copies", [[], ["--copies"]], ids=["links", "copies"])
def test_a_virtual_environment_is_its_base(
    tmp_path: Path, environ: dict[str, str], minor: str, copies: list[str]
) -> None:
    base = pyenv_python(minor)
    subprocess.run([base, "-m", "venv", "--without-pip", *copies, tmp_path / "env"], check=True)
    (interpreter,) = examine(on_path(tmp_path / "env/bin/python"), environ, cache=None).interpreters
    assert interpreter.real_path == base
    assert interpreter.path == base
    assert interpreter.aliases == ()


def test_nothing_that_python_runs_at_start_runs_in_the_probe(tmp_path: Path, environ: dict[str, str]) -> None:
    """Neither what variables point to, nor the interpreter's own sitecustomize, usercustomize and .pth files."""
    ran = tmp_path / "ran"
    spy = f"open({str(ran)!r}, 'a').write(__name__)\n"
    subprocess.run([running_python(), "-m", "venv", "--without-pip", "--copies", tmp_path / "env"], check=True)
    (site_packages,) = (tmp_path / "env/lib").glob("python3*/site-packages")
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for folder in (site_packages, hostile):
        for module in ("sitecustomize", "usercustomize", "json", "platform"):
            (folder / f"{module}.py").write_text(spy)
    (site_packages / "spy.pth").write_text(f"import sys; {spy}")
    variables = {
        "PYTHONPATH": str(hostile),
        "PYTHONSTARTUP": str(hostile / "sitecustomize.py"),
        "PYTHONHOME": str(hostile),
        "PYTHONUSERBASE": str(hostile),
        "PYTHONINSPECT": "1",
        "LD_PRELOAD": str(hostile / "nothing.so"),
    }
    python = tmp_path / "env/bin/python"
    poisoned = {name: value for name, value in variables.items() if name not in ("PYTHONHOME", "PYTHONINSPECT")}
    subprocess.run([python, "-c", ""], check=False, env=environ | poisoned, capture_output=True)
    assert ran.exists(), "the trap does not work"
    ran.unlink()
    (interpreter,) = examine(on_path(python, running_python()), environ | variables, cache=None).interpreters
    assert interpreter.usable
    assert not ran.exists()


def test_old_pythons_do_not_import_from_the_current_folder_either(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    (interpreter,) = examine(on_path(pyenv_python("2.7")), environ, cache=None).interpreters
    assert interpreter.version_text.startswith("2.7")


def test_a_python_without_ensurepip_can_be_used_with_a_note(tmp_path: Path, environ: dict[str, str]) -> None:
    copy = private_copy(pyenv_python("3.11"), tmp_path, without=("ensurepip", "venv"))
    (interpreter,) = examine(on_path(copy), environ, cache=None).interpreters
    assert interpreter.usable
    assert interpreter.notes == ("No ensurepip: `python -m venv` fails with it, but envguard does not need it.",)


@pytest.mark.parametrize("module", ["_ctypes", "zlib"])
def test_a_python_built_without_what_packages_need_cannot_be_used(
    tmp_path: Path, environ: dict[str, str], module: str
) -> None:
    copy = private_copy(pyenv_python("3.11"), tmp_path, without=(module,))
    (interpreter,) = examine(on_path(copy), environ, cache=None).interpreters
    (reason,) = interpreter.reasons
    assert reason.startswith(f"Built without {module}: install the headers of")


def test_only_an_older_python_without_distutils_is_one_that_uv_refuses(tmp_path: Path, environ: dict[str, str]) -> None:
    without = [private_copy(pyenv_python(minor), tmp_path / minor, without=("distutils",)) for minor in ("3.9", "3.11")]
    newer, older = examine(on_path(*without), environ, cache=None).interpreters
    assert (newer.usable, newer.notes) == (True, ())
    assert older.usable
    assert older.notes == ("No distutils: uv refuses this Python, so virtualenv and pip install for it.",)


def test_a_python_without_half_its_standard_library_is_incomplete(tmp_path: Path, environ: dict[str, str]) -> None:
    copy = private_copy(pyenv_python("3.11"), tmp_path, without=("json",))
    (broken,) = examine(on_path(copy), environ, cache=None).broken
    assert broken.problem == "incomplete"
    assert "lacks json" in broken.reason


def test_usable_interpreters_come_first_and_newest_first(environ: dict[str, str]) -> None:
    found = on_path(*(pyenv_python(minor) for minor in ("3.8", "3.10", "2.7", "3.12", "3.9")))
    facts = examine(found, environ, cache=None)
    assert [f"{row.version.major}.{row.version.minor}" for row in facts.interpreters] == [
        "3.12",
        "3.10",
        "3.9",
        "3.8",
        "2.7",
    ]
    assert [row.usable for row in facts.interpreters] == [True, True, True, False, False]


def test_a_real_shim_that_fails_is_shown_and_hides_nothing(tmp_path: Path) -> None:
    inactive = pyenv_python("3.10")
    root = PYENV_VERSIONS.parent
    if not (root / "shims/python3.10").exists():
        pytest.skip(f"no shims in {root}")
    environ = {
        "PATH": f"{root}/shims:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYENV_VERSION": pyenv_python("3.11").parent.parent.name,
    }
    facts = discover(environ, home=tmp_path, store=None, shims=True)
    shim = next(row for row in facts.broken if row.path == root / "shims/python3.10")
    assert shim.problem == "shim"
    assert shim.reason.startswith(
        "This shim ends with exit code 127: no active pyenv version has this command (installed: 3.10."
    )
    assert with_minor(facts, inactive.parent.parent.name) == [inactive]
    (active,) = [row for row in facts.interpreters if row.real_path == pyenv_python("3.11")]
    assert active.found_in[0] == "PATH"
    assert active.path == pyenv_python("3.11") or "shims" not in active.path.parts


def test_shims_are_not_started_unless_asked_for(tmp_path: Path, environ: dict[str, str]) -> None:
    started = tmp_path / "started"
    for manager in ("pyenv", "mise"):
        shim = tmp_path / manager / "shims/python3"
        shim.parent.mkdir(parents=True)
        shim.write_text(f"#!/bin/sh\necho {manager} >> '{started}'\nexit 127\n")
        shim.chmod(0o755)
    (tmp_path / "pyenv/versions").mkdir()
    environ |= {"PATH": f"{tmp_path}/pyenv/shims:{tmp_path}/mise/shims"}
    discover(environ, home=tmp_path, store=None)
    assert not started.exists()
    facts = discover(environ, home=tmp_path, store=None, shims=True)
    assert set(started.read_text().split()) == {"pyenv"}, "mise's may install what is missing"
    (shim_row,) = [row for row in facts.broken if row.path.is_relative_to(tmp_path)]
    assert shim_row.reason == "This shim ends with exit code 127: no installed version provides it. Run `pyenv rehash`."
