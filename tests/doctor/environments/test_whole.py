"""Environments that work get no finding, whoever made them; what only some need is a note."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envguard.doctor.environments.curing import Surroundings
from envguard.doctor.environments.examining import examine_environment
from envguard.host.interpreters import HostFacts, Interpreter
from tests.support.broken import scratch
from tests.support.offline import Offline, make_python


def findings(python: Path, tmp_path: Path) -> list[str]:
    around = Surroundings(tmp_path, tmp_path, {"PATH": os.environ.get("PATH", os.defpath)})
    return [f"{each.check}: {each.what}: {each.evidence}" for each in examine_environment(python, around)
            if each.level == "finding"]  # fmt: skip


def test_an_environment_that_sees_its_pythons_packages(tmp_path: Path, interpreter: Interpreter, wheels: Path) -> None:
    python = make_python(tmp_path / "python", interpreter)
    base = Offline(tmp_path / "base", python, wheels)
    base.sh(f"uv pip install -q --break-system-packages --python {python} base==1.0")
    environment = Offline(tmp_path / "own", python, wheels, "--system-site-packages")
    environment.sh(f"uv pip install -q --no-deps --python {environment.python} user==1.0")
    environment.sh(f"{environment.python} -c 'import user'")
    assert environment.findings() == []


@pytest.mark.slow
def test_an_environment_of_venv_itself_with_its_pip(tmp_path: Path, interpreter: Interpreter, wheels: Path) -> None:
    environment = Offline(tmp_path, interpreter.path, wheels)
    environment.sh(f"{interpreter.path} -m venv --clear {environment.folder}")
    assert environment.findings() == []


@pytest.mark.skipif(not Path("/usr/bin/python3").exists() or sys.platform != "linux", reason="no Python of the system")
def test_the_systems_own_python_whose_packages_apt_owns(tmp_path: Path) -> None:
    assert findings(Path("/usr/bin/python3"), tmp_path) == []


def test_a_projects_own_package_in_its_own_folder(environment: Offline) -> None:
    (environment.cwd / "base_data").mkdir()
    (environment.cwd / "base_data" / "__init__.py").touch()
    assert [each.check for each in environment.findings()] == ["own file"]
    (environment.cwd / "pyproject.toml").touch()
    assert environment.findings() == []


def test_certificates_that_a_company_added_to_are_a_note(environment: Offline) -> None:
    environment.install("pip")
    with (environment.site_packages / "pip" / "_vendor" / "certifi" / "cacert.pem").open("a") as file:
        file.write("# ours\n")
    assert environment.findings() == []
    assert "files changed" in {each.check for each in environment.examined()}


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    "requirements", [["jupyterlab"], ["mediapipe"], ["PySide6-Essentials"], ["opencv-python-headless"]], ids=str
)
def test_what_is_popular(tmp_path: Path, host: HostFacts, store_home: Path, requirements: list[str]) -> None:
    environment = scratch(tmp_path / "venv", host, store_home)
    code, said = environment.uv("pip", "install", "--python", environment.python, *requirements)
    assert code == 0, said
    assert findings(environment.python, tmp_path / "nowhere") == []
