"""uv, and virtualenv with pip, make the same environment from a lock: the same files with the same hashes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.backends.installers.choosing import chosen_tool
from envguard.backends.installers.settings import Installer
from envguard.backends.installing import build_venv
from envguard.catalog.shipped import builtin_catalog
from envguard.errors import BadInput, NoEnvironment
from envguard.host.interpreters import HostFacts
from envguard.host.variables import installer_variables
from envguard.layout import Layout
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.uv import find_uv
from envguard.planning import best_interpreter
from envguard.store.manifest import Manifest, differing, scan
from tests.support.pythons import private_copy, pyenv_python
from tests.support.tiny import INTERPRETER, lock_of

pytestmark = pytest.mark.network


def installer(home: Path, uv: Path | None, environ: Mapping[str, str] = os.environ, **more: object) -> Installer:
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    plain = Installer(uv, installer_variables(environ), home / f"cache-{'uv' if uv else 'pip'}", logs)
    return replace(plain, **more)  # type: ignore[arg-type]


def built_by_both(home: Path, interpreter: Path, lock: Lock) -> tuple[Manifest, Manifest]:
    """What each makes in the same place, as bytecode and programs name it."""
    manifests = []
    for uv in (find_uv(), None):
        folder = home / "environment"
        build_venv(folder, interpreter, lock, installer(home, uv))
        manifests.append(scan(folder))
        shutil.rmtree(folder)
    return manifests[0], manifests[1]


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_both_make_the_same_files_on_every_python(tmp_path: Path, host: HostFacts, minor: str) -> None:
    interpreter = best_interpreter(host.interpreters, minor)
    if interpreter is None:
        pytest.skip(f"this host has no Python {minor}")
    # Programs of entry points, scripts, native code.
    lock = lock_of(tmp_path / "lock" / "cache", "pygments", "jmespath", "markupsafe", python=minor)
    by_uv, by_pip = built_by_both(tmp_path, interpreter.real_path, lock)
    assert differing(by_uv, by_pip) == ()
    programs = {name for name in by_pip if name.startswith("venv/bin/")}
    assert {"venv/bin/pygmentize", "venv/bin/jp.py", "venv/bin/python"} <= programs


@pytest.mark.slow
def test_both_make_the_same_quantize_environment(tmp_path: Path, host: HostFacts) -> None:
    environment = builtin_catalog().environments["quantize"]
    edition = environment.editions[0]
    interpreter = best_interpreter(host.interpreters, edition.pythons[0])
    assert interpreter is not None
    lock = read_lock(lock_path(environment.lockfiles, environment.name, edition.name, edition.pythons[0]))
    by_uv, by_pip = built_by_both(tmp_path, interpreter.real_path, lock)
    # Bytecode of a large file can differ, with the same source, between processes that compile: seen in one
    # file of scipy's tests, for a reason not known yet.
    others = [name for name in differing(by_uv, by_pip) if not name.endswith(".pyc")]
    assert others == []
    assert len(differing(by_uv, by_pip)) <= 5
    assert len(by_pip) > 1000


def test_programs_start_from_places_that_the_kernel_would_not_take(tmp_path: Path) -> None:
    lock = lock_of(tmp_path / "lock" / "cache", "pygments", "jmespath")
    for name in ("a b", "it's", "long" * 40):
        layouts = [
            build_venv(tmp_path / name / tool, INTERPRETER, lock, installer(tmp_path, uv))
            for tool, uv in (("uv", find_uv()), ("pip", None))
        ]
        for layout in layouts:
            for program in ("pygmentize", "jp.py"):
                run = subprocess.run([layout.programs / program, "--help"], capture_output=True, text=True)
                assert run.returncode == 0, run.stderr


def packages_in(layout: Layout) -> set[str]:
    return {path.name.partition("-")[0] for path in layout.site_packages.glob("*.dist-info")}


def test_pip_installs_without_a_network_what_it_once_fetched(tmp_path: Path) -> None:
    lock = lock_of(tmp_path / "lock" / "cache", "six")
    build_venv(tmp_path / "first", INTERPRETER, lock, installer(tmp_path, None))
    closed = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    again = build_venv(tmp_path / "second", INTERPRETER, lock, installer(tmp_path, None, closed, offline=True))
    assert packages_in(again) == {"six"}


def test_a_kept_wheel_that_was_damaged_is_fetched_again(tmp_path: Path) -> None:
    lock = lock_of(tmp_path / "lock" / "cache", "six")
    build_venv(tmp_path / "first", INTERPRETER, lock, installer(tmp_path, None))
    (kept,) = (tmp_path / "cache-pip" / "wheels").glob("*.whl")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + b"?")
    build_venv(tmp_path / "second", INTERPRETER, lock, installer(tmp_path, None))
    assert kept.read_bytes() == whole


def test_pip_refuses_a_wheel_with_another_hash(tmp_path: Path) -> None:
    lock = lock_of(tmp_path / "lock" / "cache", "six")
    (package,) = lock.packages
    (wheel,) = package.wheels
    wrong = replace(lock, packages=(replace(package, wheels=(replace(wheel, sha256="0" * 64),)),))
    with pytest.raises(NoEnvironment) as caught:
        build_venv(tmp_path / "built", INTERPRETER, wrong, installer(tmp_path, None))
    assert "hash" in caught.value.why.lower()


def test_pip_reads_none_of_its_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = lock_of(tmp_path / "lock" / "cache", "six")
    home = tmp_path / "home"
    for place in (".config/pip/pip.conf", ".pip/pip.conf", ".config/virtualenv/virtualenv.ini"):
        (home / place).parent.mkdir(parents=True)
        (home / place).write_text(
            "[global]\nindex-url = http://127.0.0.1:9/simple\nno-binary = :all:\n[virtualenv]\npython = /no/such\n"
        )
    hostile = {
        "HOME": str(home), "PIP_TARGET": str(tmp_path / "elsewhere"), "PIP_NO_BINARY": ":all:", "PIP_USER": "1",
        "PIP_CONSTRAINT": str(tmp_path / "none"), "PIP_REQUIRE_VIRTUALENV": "1", "VIRTUALENV_DOWNLOAD": "1",
        "PYTHONPATH": str(tmp_path), "PIP_CONFIG_FILE": str(home / ".pip/pip.conf"), "PIP_PREFIX": "/no/such/prefix",
    }  # fmt: skip
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    layout = build_venv(tmp_path / "built", INTERPRETER, lock, installer(tmp_path, None))
    assert packages_in(layout) == {"six"}
    assert not (tmp_path / "elsewhere").exists()


def test_pip_serves_a_python_that_uv_does_not(tmp_path: Path) -> None:
    # As Debian packages it.
    python = private_copy(pyenv_python("3.9"), tmp_path / "python", without=("distutils", "ensurepip"))
    lock = lock_of(tmp_path / "lock" / "cache", "six", python="3.9")
    told: list[str] = []
    layout = build_venv(tmp_path / "built", python, lock, installer(tmp_path, find_uv(), passed_by=told.append))
    (why,) = told
    assert "distutils" in why
    assert packages_in(layout) == {"six"}


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [("#!/bin/sh\nexit 3\n", 0o755, "exit code 3"), ("\x7fELF of another machine", 0o755, "Exec format"),
     ("", 0o644, "Permission denied")],
)  # fmt: skip
def test_where_uv_does_not_start_pip_is_taken_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, mode: int, why: str
) -> None:
    binary = tmp_path / "uv"
    binary.write_text(content)
    binary.chmod(mode)
    monkeypatch.setattr("envguard.backends.installers.choosing.find_uv", lambda: binary)
    chosen = chosen_tool({})
    assert chosen.uv is None
    assert why in chosen.why
    with pytest.raises(NoEnvironment) as caught:
        chosen_tool({"ENVGUARD_INSTALLER": "uv"})
    assert why in caught.value.why
    assert "pip" in caught.value.next_step


def test_a_user_chooses_the_installer() -> None:
    assert chosen_tool({}).uv == chosen_tool({"ENVGUARD_INSTALLER": "uv"}).uv == find_uv()
    assert chosen_tool({"ENVGUARD_INSTALLER": "pip"}).uv is None
    with pytest.raises(BadInput, match="There is no installer 'conda'"):
        chosen_tool({"ENVGUARD_INSTALLER": "conda"})
