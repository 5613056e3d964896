"""The wheel holds all that an installed envguard needs, and works outside of a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from envguard.catalog import shipped_lockfiles
from envguard.locks.uv import find_uv

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the backend that the develop lock brings."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run([sys.executable, "-I", "-c", code], cwd=CHECKOUT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_the_catalog_the_locks_and_the_payload(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"envguard/catalog/builtin.toml", "envguard/payload/__main__.py"} <= names
    for lock in shipped_lockfiles().rglob("*.txt"):
        assert f"envguard/data/lockfiles/{lock.relative_to(shipped_lockfiles()).as_posix()}" in names
    assert not [name for name in names if "test" in name.lower() or name.startswith("docs")]


@pytest.mark.network
@pytest.mark.slow
def test_installed_it_finds_its_locks_and_plans(wheel: Path, tmp_path: Path) -> None:
    uv, python = find_uv(), tmp_path / "venv" / "bin" / "python"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, tmp_path / "venv"], check=True, cwd=tmp_path)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, wheel], check=True, cwd=tmp_path)
    ended = subprocess.run(
        [python.with_name("envguard"), "run", "quantize", "sample:face_landmarker", "--explain"],
        env={**os.environ, "ENVGUARD_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert "environment quantize: edition 0.10" in ended.stdout
