"""`envguard export`: the same lock for other installers, and for a machine without network."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from envguard.catalog import shipped_lockfiles
from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import lock_path, read_lock
from envguard.locks.uv import find_uv
from envguard.planning import minor_of
from envguard.toml import parse_toml
from tests.support.command import envguard

UNREACHABLE = "http://127.0.0.1:9"


def test_requirements_are_the_lock_itself(tmp_path: Path) -> None:
    path = lock_path(shipped_lockfiles(), "quantize", "0.9", "3.12")
    asked = ("export", "quantize", "--edition", "0.9", "--python", "3.12", "--format", "requirements")
    ended = envguard(*asked, home=tmp_path)
    assert (ended.code, ended.out) == (0, path.read_text(encoding="utf-8"))
    assert envguard(*asked, "-o", tmp_path / "r.txt", home=tmp_path).out == ""
    assert (tmp_path / "r.txt").read_bytes() == path.read_bytes()
    bare = envguard(*asked, "--bare", home=tmp_path).out
    assert "#" not in bare
    assert bare.count("==") >= len(read_lock(path).packages)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "conda"), "'conda'"),
        (("--format", "pylock", "--bare"), "--bare works only for requirements"),
        (("--format", "pylock", "--platform", "win_amd64"), "--platform works only for a wheelhouse"),
        (("--format", "requirements", "--python", "3.8"), "no lock for Python 3.8."),
        (("--format", "requirements", "--edition", "7", "--python", "3.11"), "no edition '7'"),
        (("--format", "wheelhouse", "--platform", "amiga"), "not a known wheel platform tag"),
        (("--format", "requirements", "-o", "no/such/folder"), "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_refused(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    ended = envguard("export", "quantize", *options, home=tmp_path, cwd=tmp_path)
    assert ended.code == 2
    assert said in ended.err


def test_a_package_without_a_wheel_for_the_platform_is_named(tmp_path: Path) -> None:
    asked = ("--format", "wheelhouse", "--python", "3.11", "--platform", "macosx_14_0_x86_64", "-o", tmp_path / "w")
    ended = envguard("export", "quantize", *asked, home=tmp_path)
    assert ended.code == 3
    assert "ai-edge-litert 2.3.0 has no wheel for this platform" in ended.err


@pytest.mark.network
def test_a_pylock_is_valid_and_has_the_locks_wheels(store_home: Path) -> None:
    ended = envguard("export", "quantize", "--python", "3.11", "--format", "pylock", home=store_home)
    assert ended.code == 0, ended.err
    document = Pylock.from_dict(parse_toml(ended.out))
    locked = read_lock(lock_path(shipped_lockfiles(), "quantize", "0.10", "3.11"))
    assert {wheel.hashes["sha256"] for package in document.packages for wheel in package.wheels or ()} == {
        wheel.sha256 for package in locked.packages for wheel in package.wheels
    }
    assert all(wheel.url for package in document.packages for wheel in package.wheels or ())


@pytest.mark.network
def test_wheels_for_another_platform_come_as_a_tar(store_home: Path, tmp_path: Path) -> None:
    asked = ("export", "pip", "--python", "3.12", "--format", "wheelhouse", "--platform", "win_arm64")
    for name in ("one.tar", "two.tar"):
        ended = envguard(*asked, "-o", tmp_path / name, home=store_home)
        assert ended.code == 0, ended.err
    with tarfile.open(tmp_path / "one.tar") as tar:
        assert tar.getnames() == ["one/pip-26.3-py3-none-any.whl", "one/requirements.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.tar", "two.tar"]


@pytest.mark.network
@pytest.mark.slow
def test_an_environment_is_built_from_a_wheelhouse_without_network(
    store_home: Path, tmp_path: Path, host: HostFacts
) -> None:
    wheels = tmp_path / "wheels"
    ended = envguard("export", "quantize", "--format", "wheelhouse", "-o", wheels, home=store_home)
    assert ended.code == 0, ended.err
    built = envguard(
        "create", "quantize", "--offline", "--find-links", wheels,
        home=tmp_path / "store", HTTP_PROXY=UNREACHABLE, HTTPS_PROXY=UNREACHABLE, ALL_PROXY=UNREACHABLE,
    )  # fmt: skip
    assert built.code == 0, built.err
    assert "built and proved" in built.out

    # The same wheels serve uv alone, in an environment of the user's own.
    uv, venv = str(find_uv()), str(tmp_path / "venv")
    clean = {**os.environ, "HTTPS_PROXY": UNREACHABLE, "UV_CACHE_DIR": str(tmp_path / "cache")}
    minor = read_lock(wheels / "requirements.txt").python
    python = next(each.path for each in host.usable if minor_of(each) == minor)
    subprocess.run([uv, "venv", "--python", python, venv], env=clean, check=True, capture_output=True)
    install = ["pip", "install", "--python", venv, "--offline", "--no-index", "--find-links", str(wheels), "--no-deps"]
    requirements = str(wheels / "requirements.txt")
    subprocess.run([uv, *install, "--require-hashes", "-r", requirements], env=clean, check=True, capture_output=True)


@pytest.mark.network
def test_a_wheel_that_is_missing_from_the_wheelhouse_is_named(store_home: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    assert envguard("export", "pip", "--format", "wheelhouse", "-o", wheels, home=store_home).code == 0
    for wheel in wheels.glob("*.whl"):
        wheel.unlink()
    ended = envguard("create", "pip", "--offline", "--find-links", wheels, home=tmp_path / "store")
    assert ended.code == 3
    assert "pip was not found in the provided package locations" in ended.err
