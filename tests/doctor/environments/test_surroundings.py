"""What breaks an environment from outside: its Python, its user's folders and variables, other tools, moved sources."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from envguard.doctor.finding import Finding
from envguard.host.interpreters import Interpreter
from tests.support.offline import Offline, make_python

BACKEND = """
import os, zipfile
def build_editable(folder, settings=None, metadata=None):
    info, wheel = "mine-1.0.dist-info", "mine-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        archive.writestr("mine.pth", os.getcwd() + "/src\\n")
        archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n")
        archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "/RECORD", f"mine.pth,,\\n{info}/METADATA,,\\n{info}/RECORD,,\\n")
    return wheel
"""


@pytest.fixture
def project(environment: Offline) -> Path:
    """A project that is installed from its folder."""
    folder = environment.home / "project"
    (folder / "src" / "mine").mkdir(parents=True)
    (folder / "src" / "mine" / "__init__.py").touch()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1.0"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    environment.sh(f"uv pip install --quiet --python {environment.python} -e {folder}")
    environment.sh(f"{environment.python} -c 'import mine'")
    assert environment.findings() == []
    return folder


def one(found: list[Finding], check: str) -> Finding:
    assert [each.check for each in found] == [check], found
    return found[0]


def test_a_project_that_was_renamed_is_installed_from_where_it_is_now(environment: Offline, project: Path) -> None:
    project.rename(project.with_name("renamed"))
    environment.cure(one(environment.findings(), "editable"), then=f"{environment.python} -c 'import mine'")
    assert environment.findings() == []


def test_a_project_whose_source_folder_was_renamed_is_named_once(environment: Offline, project: Path) -> None:
    (project / "src").rename(project / "source")
    assert str(project / "src") in one(environment.findings(), "editable").evidence


def test_a_project_that_is_gone_is_uninstalled(environment: Offline, project: Path) -> None:
    shutil.rmtree(project)
    environment.cure(one(environment.findings(), "editable"))
    assert environment.findings() == []


def test_a_base_python_that_is_gone_is_replaced_and_the_packages_stay(
    tmp_path: Path, interpreter: Interpreter, wheels: Path
) -> None:
    first, second = (make_python(tmp_path / name, interpreter) for name in ("first", "second"))
    environment = Offline(tmp_path, first, wheels)
    environment.install("user==1.0")
    shutil.rmtree(first.parent.parent)
    environment.environ["PATH"] = os.pathsep.join((str(second.parent), os.defpath))
    found = one(environment.findings(), "base Python")
    assert str(first.parent) in found.evidence
    environment.cure(found, then=f"{environment.python} -c 'import user'")
    assert environment.findings() == []


def test_a_python_without_a_part_of_itself_is_found(tmp_path: Path, interpreter: Interpreter, wheels: Path) -> None:
    python = make_python(tmp_path / "python", interpreter, without=("_ssl", "_tkinter"))
    environment = Offline(tmp_path, python, wheels)
    environment.install("user==1.0")
    found = one(environment.findings(), "base Python")
    assert "_ssl cannot be imported" in found.what
    assert "_tkinter" not in found.what
    assert any("tkinter" in each.what for each in environment.examined() if each.level == "note")
    assert "user==1.0" in found.commands[-1]


@pytest.fixture
def bare(tmp_path: Path, interpreter: Interpreter, wheels: Path) -> Offline:
    """A Python's own installation with `base` 1.0 and pip in it, without any virtual environment."""
    python = make_python(tmp_path / "bare" / "python", interpreter)
    environment = Offline(tmp_path / "bare", python, wheels)
    environment.folder, environment.python = python.parent.parent, python
    environment.install("--break-system-packages", "pip", "base==1.0")
    return environment


def test_packages_in_the_home_folder_that_hide_a_pythons_own_are_removed(bare: Offline) -> None:
    bare.sh(f"{bare.python} -m pip install -q --user --ignore-installed --no-deps base==2.0")
    assert bare.sh(f"{bare.python} -c 'import base; print(base.version)'").strip() == "2.0"
    found = one(bare.findings(), "user packages")
    said = bare.cure(found, then=f"{bare.python} -c 'import base; print(base.version)'")
    assert said.split()[-1] == "1.0"
    assert bare.findings() == []


def test_packages_in_the_home_folder_that_hide_nothing_are_a_note(bare: Offline) -> None:
    bare.sh(f"{bare.python} -m pip install -q --user --no-deps user==1.0")
    assert bare.findings() == []
    assert "user packages" in {each.check for each in bare.examined()}
    assert "user packages" not in {each.check for each in bare.examined(PYTHONNOUSERSITE="1")}


@pytest.mark.slow
def test_a_python_that_pip_leaves_alone_is_whole_and_the_note_says_what_to_do(bare: Offline) -> None:
    (marker,) = bare.folder.glob("lib/python3*")
    (marker / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=no\n")
    code, said = bare.said(f"{bare.python} -m pip install user==1.0")
    assert code != 0, said
    assert bare.findings() == []
    (note,) = [each for each in bare.examined() if each.check == "externally managed"]
    bare.cure(note, then="python -m pip install -q user==1.0 && python -c 'import user'")


def test_pip_of_another_python_before_the_one_in_use_is_found(with_pip: Offline, bare: Offline) -> None:
    path = os.pathsep.join((str(bare.folder / "bin"), str(with_pip.folder / "bin"), os.defpath))
    (bare.folder / "bin" / "python").unlink()
    (bare.folder / "bin" / "python3").unlink()
    found = one(with_pip.findings(PATH=path), "other pip")
    assert str(with_pip.folder) in with_pip.cure(found)
    assert with_pip.findings() == []


def test_modules_that_pythonpath_puts_first_are_found(environment: Offline) -> None:
    (environment.home / "base.py").write_text("raise SystemExit('another')")
    found = one(environment.findings(PYTHONPATH=str(environment.home)), "PYTHONPATH")
    environment.sh(
        "\n".join((*found.commands, f"{environment.python} -c 'import base'")), PYTHONPATH=str(environment.home)
    )
    assert environment.findings(PYTHONPATH=str(environment.cwd)) == []


def test_packages_of_the_python_that_it_had_before_are_found(environment: Offline) -> None:
    (library,) = environment.folder.glob("lib/python3*")
    library.rename(library.with_name("python3.7"))
    one(environment.findings(), "base Python")


@pytest.fixture
def conda(bare: Offline) -> Offline:
    """A prefix as conda makes it: no virtual environment, and a list of what conda installed."""
    (packages,) = bare.folder.glob("lib/python3*/site-packages")
    (packages / "base-1.0.dist-info" / "INSTALLER").write_text("conda\n")
    listed = [path for path in packages.rglob("*") if path.is_file() and "base" in str(path)]
    record = {
        "name": "base",
        "version": "1.0",
        "paths_data": {"paths": [{"_path": str(path.relative_to(bare.folder))} for path in listed]},
    }
    (bare.folder / "conda-meta").mkdir()
    (bare.folder / "conda-meta" / "base-1.0-0.json").write_text(json.dumps(record))
    return bare


def test_a_conda_prefix_is_whole_with_packages_of_pip_beside_condas(conda: Offline) -> None:
    conda.install("--break-system-packages", "user==1.0")
    assert conda.findings() == []


def test_what_pip_put_over_condas_package_is_found(conda: Offline) -> None:
    conda.install("--break-system-packages", "--reinstall", "base==2.0")
    found = one(conda.findings(), "conda and pip")
    assert found.commands[-1].startswith("conda install")
    assert found.commands[-1].endswith("base=1.0")


def test_a_link_elsewhere_to_an_environments_python_stands_for_it(environment: Offline) -> None:
    link = environment.home / "python"
    link.symlink_to(environment.python)
    (environment.site_packages / "base.py").unlink()
    one(environment.findings(link), "files missing")
