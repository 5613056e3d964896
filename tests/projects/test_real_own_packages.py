"""An own package with C code and setuptools from the package index, on this machine and on one without network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command import envguard
from tests.support.own_packages import Project, project_in
from tests.support.tiny import PYTHON

pytestmark = [pytest.mark.slow, pytest.mark.network]

FLAT = """
[build-system]
requires = ["setuptools>=80,<81"]
build-backend = "setuptools.build_meta"

[project]
name = "mine"
version = "1.0"
dynamic = ["dependencies"]

[tool.setuptools]
packages = ["mine"]
ext-modules = [{ name = "mine._sum", sources = ["native/sum.c"] }]

[tool.setuptools.dynamic]
dependencies = { file = ["needs.txt"] }
"""
C = r"""
#include <Python.h>
static PyObject *sum(PyObject *self, PyObject *both) {
    long x, y;
    return PyArg_ParseTuple(both, "ll", &x, &y) ? PyLong_FromLong(x + y) : NULL;
}
static PyMethodDef methods[] = {{"sum", sum, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sum", "", -1, methods};
PyMODINIT_FUNC PyInit__sum(void) { return PyModule_Create(&module); }
"""
ASK = ("exec", "dev", "--", "python", "-c", "import mine; print(mine.word, mine.__file__)")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory, store_home: Path) -> Project:
    if shutil.which("cc") is None:
        pytest.skip("a C compiler is needed")
    files = {
        **dict.fromkeys(("src/mine.py", "backend.py")),
        "pyproject.toml": FLAT,
        "needs.txt": "iniconfig\n",
        "mine/__init__.py": "import iniconfig\nfrom mine._sum import sum\nword = str(sum(1, 2))\n",
        "native/sum.c": C,
    }
    return project_in(tmp_path_factory.mktemp("native"), store_home, files)


def test_c_code_is_compiled_for_exec_and_again_when_it_changes(native: Project) -> None:
    assert f"3 {native.folder / 'mine' / '__init__.py'}" in native.does(*ASK)
    assert len(list((native.folder / "mine").glob("_sum.*"))) == 1
    native.edit("native/sum.c", C.replace("x + y", "x * y"))
    native.does("trust")
    assert "2 " in native.does(*ASK)
    assert "trusted" not in native.run("create", "dev").err


def test_c_code_is_compiled_for_steps(native: Project) -> None:
    native.does("trust")
    native.does("run", "say", "-o", "said.txt")
    assert (native.folder / "said.txt").read_text() == "2 mine"


def test_a_missing_compiler_is_named_with_its_debian_package(native: Project, tmp_path: Path) -> None:
    native.edit("native/sum.c", C.replace("x + y", "x - y"))
    native.does("trust")
    refused = native.run("create", "dev", PATH=str(tmp_path), CC="cc")
    assert refused.code == 3
    assert "apt-get install build-essential" in refused.err


def test_a_wheelhouse_has_the_package_and_what_builds_it(native: Project, tmp_path: Path) -> None:
    native.edit("native/sum.c", C)
    native.does("trust")
    native.does("export", "dev", "--format", "wheelhouse", "-o", str(tmp_path / "wheels"))
    names = [path.name for path in (tmp_path / "wheels").glob("*.whl")]
    assert [each for each in names if each.startswith(f"mine-1.0-cp{PYTHON.replace('.', '')}")]
    away = {"UV_OFFLINE": "1", "UV_DEFAULT_INDEX": "https://mirror.example/simple"}
    elsewhere = Project(native.folder, tmp_path / "home")
    made = elsewhere.run("create", "dev", "--find-links", str(tmp_path / "wheels"), **away)
    assert made.code == 0, made.err
    assert "3 " in elsewhere.run(*ASK, **away).out


def test_an_export_without_wheels_says_what_is_not_in_it(native: Project) -> None:
    told = envguard("export", "dev", "--format", "pylock", home=native.home, cwd=native.folder)
    assert told.code == 0
    assert "Not in it is the project's own code (mine)" in told.err
