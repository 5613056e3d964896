"""`make` finds a Python that there is a lock for, and says what is true where there is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.pythons import pyenv_python

CHECKOUT = Path(__file__).resolve().parents[1]
FIND = "envguard/host/find_python.py"
TOOLS = ("sh", "bash", "env", "make", "uname", "ls", "rm", "true")


# Stands in for the bootstrap, which would take half a minute each time: keeps with which Python it was started.
BOOTSTRAP = "import pathlib, sys; pathlib.Path('started').write_text('%d.%d ' % sys.version_info[:2] + sys.argv[1])\n"


def checkout(folder: Path, *minors: str) -> Path:
    """A checkout with a lock for each of these minors."""
    locks = folder / "lockfiles" / "envguard" / "host"
    locks.mkdir(parents=True)
    for minor in minors:
        (locks / f"cp{minor.replace('.', '')}.txt").touch()
    (folder / "envguard" / "host").mkdir(parents=True)
    shutil.copy(CHECKOUT / FIND, folder / FIND)
    (folder / "envguard" / "bootstrap.py").write_text(BOOTSTRAP, encoding="utf-8")
    shutil.copy(CHECKOUT / "Makefile", folder)
    return folder


def machine(folder: Path, pythons: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The variables of a machine whose PATH leads to nothing but some tools and Pythons: (name, minor) of each."""
    programs = folder / "bin"
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(shutil.which(tool) or pytest.skip(f"no {tool} here"))
    for name, minor in pythons:
        (programs / name).write_text(f'#!/bin/sh\nexec "{pyenv_python(minor)}" "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    return {"PATH": str(programs), "HOME": str(folder), "PYENV_ROOT": str(folder)}


def make_host(top: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make host` there; the machine's own programs outside of PATH are out of its reach too."""
    for file in (top / "Makefile", top / FIND):
        text = re.sub(r"/usr/(local/)?bin\b", "/nowhere", file.read_text(encoding="utf-8"))
        file.write_text(text, encoding="utf-8")
    return subprocess.run(
        ["make", "-s", "host", *arguments], cwd=top, env=environ, capture_output=True, text=True, check=False
    )


def python_of(top: Path) -> str:
    """The minor of the Python that the bootstrap was started with."""
    minor, edition = (top / "started").read_text(encoding="utf-8").split()
    assert edition == "host"
    return minor


def test_the_python_called_python3_is_taken_if_there_is_a_lock_for_it(tmp_path: Path) -> None:
    environ = machine(tmp_path, [("python3", "3.12"), ("python3.13", "3.13")])
    top = checkout(tmp_path / "checkout", "3.12", "3.13")
    made = make_host(top, environ)
    assert (made.returncode, python_of(top)) == (0, "3.12"), made.stderr


@pytest.mark.parametrize("first", ["3.9", "3.13"])
def test_where_there_is_no_lock_for_it_the_newest_python_that_has_one_is_taken(tmp_path: Path, first: str) -> None:
    environ = machine(tmp_path, [("python3", first), ("python3.10", "3.10"), ("python3.11", "3.11")])
    top = checkout(tmp_path / "checkout", "3.10", "3.11", "3.12")
    made = make_host(top, environ)
    assert (made.returncode, python_of(top)) == (0, "3.11"), made.stderr
    assert f"There is no lock for cpython {first}." in made.stderr
    assert "going on with" in made.stderr


def test_a_machine_whose_only_python_is_called_by_its_minor_has_a_python(tmp_path: Path) -> None:
    environ = machine(tmp_path, [("python3.13", "3.13")])
    top = checkout(tmp_path / "checkout", "3.13")
    assert make_host(top, environ).returncode == 0
    assert python_of(top) == "3.13"


def test_one_that_only_a_version_manager_has_is_found(tmp_path: Path) -> None:
    environ = machine(tmp_path, [("python3", "3.13")])
    (tmp_path / "versions" / "3.11.7" / "bin").mkdir(parents=True)
    (tmp_path / "versions" / "3.11.7" / "bin" / "python3").symlink_to(pyenv_python("3.11"))
    top = checkout(tmp_path / "checkout", "3.11")
    assert make_host(top, environ).returncode == 0
    assert python_of(top) == "3.11"


def test_a_shim_that_starts_nothing_is_passed_over(tmp_path: Path) -> None:
    environ = machine(tmp_path, [("python3.11", "3.11")])
    shim = tmp_path / "bin" / "python3"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    top = checkout(tmp_path / "checkout", "3.11")
    assert make_host(top, environ).returncode == 0


def test_a_python_that_was_named_is_not_exchanged_and_the_advice_names_one_that_is_there(tmp_path: Path) -> None:
    environ = machine(tmp_path, [("python3", "3.12"), ("python3.11", "3.11")])
    top = checkout(tmp_path / "checkout", "3.11")
    refused = make_host(top, environ, "PYTHON=python3")
    assert refused.returncode == 2
    assert not (top / "started").exists()
    (advice,) = (line.strip() for line in refused.stderr.splitlines() if "next:" in line)
    assert advice == f"next: make host PYTHON={tmp_path / 'bin' / 'python3.11'}"
    assert make_host(top, environ, advice.split("host ")[1]).returncode == 0
    assert python_of(top) == "3.11"


def test_where_all_are_newer_or_older_than_the_locks_it_says_so(tmp_path: Path) -> None:
    environ = machine(tmp_path, [("python3", "3.13"), ("python3.9", "3.9")])
    refused = make_host(checkout(tmp_path / "checkout", "3.10", "3.11"), environ)
    assert refused.returncode == 2
    assert "No Python here has a lock; there are locks for CPython 3.10, 3.11." in refused.stderr
    assert "here is cpython 3.13." in refused.stderr
    assert "cpython 3.9." in refused.stderr


def test_without_any_python_it_says_where_it_looked(tmp_path: Path) -> None:
    refused = make_host(checkout(tmp_path / "checkout", "3.11"), machine(tmp_path, []))
    assert refused.returncode == 2
    assert "No Python was found: neither on PATH nor where pyenv and uv keep theirs." in refused.stderr


def test_neither_the_makefile_nor_the_bootstrap_names_a_python_that_locks_decide_on() -> None:
    for file in ("Makefile", "envguard/bootstrap.py", FIND):
        words = (CHECKOUT / file).read_text(encoding="utf-8")
        assert not [minor for minor in ("3.9", "3.1", "(3, 9", "(3, 1") if minor in words]
