"""Native code of sdists is compiled as reproducibly as one machine can; who lacks a compiler is told where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from virtualenv.seed.wheels.embed import get_embed_wheel

from envguard.backends.building import wheels
from envguard.backends.building.complaints import failed_saying
from envguard.errors import NoEnvironment
from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import Lock, read_lock
from envguard.planning import minor_of
from envguard.running.environments.building import builder_of
from envguard.store.built import built_wheels_folder
from tests.support.local_index import make_authority, make_sdist, serving
from tests.support.sources import CUT_OFF, Sources, shop_of, sources_in

C = """
#include <Python.h>
{include}
static struct PyModuleDef itself = {{PyModuleDef_HEAD_INIT, "{name}", __FILE__, -1, NULL}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&itself); }}
"""
SETUP = """
from setuptools import Extension, setup
setup(name="{name}", version="1.0", ext_modules=[Extension("{name}", ["{name}.c"], extra_compile_args=["-g"])])
"""


def make_native(folder: Path, name: str, include: str = "") -> None:
    """An sdist with an extension in C, built by setuptools."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        f"{name}.c": C.format(name=name, include=include),
    }
    make_sdist(folder, name, "1.0", SETUP.format(name=name), others=files)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, host: HostFacts) -> Iterator[Sources]:
    folder = tmp_path_factory.mktemp("index")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    setuptools = get_embed_wheel("setuptools", minor_of(host.usable[0]))
    assert setuptools is not None
    (folder / setuptools.name).write_bytes(setuptools.path.read_bytes())
    make_native(folder, "native")
    make_native(folder, "lacking", "#include <of_the_system.h>")
    with serving(folder, authority) as index:
        yield sources_in(folder, index, authority, host)


@pytest.fixture(scope="module")
def locking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store in which `lock` was made."""
    return tmp_path_factory.mktemp("locking")


@pytest.fixture(scope="module")
def lock(sources: Sources, locking: Path) -> Lock:
    return sources.locked(locking, "native==1.0")


def built(lock: Lock) -> str:
    (package,) = lock.packages
    assert package.build is not None
    return package.build.compiler


@pytest.mark.slow
def test_a_lock_says_what_compiled_a_wheel_and_the_wheel_works(
    lock: Lock, locking: Path, sources: Sources, tmp_path: Path
) -> None:
    assert built(lock)
    path = tmp_path / "lock.txt"
    path.write_text(lock.text(), encoding="utf-8")
    assert read_lock(path) == lock
    assert shop_of(locking, sources, lock).prepare("tools").built.fresh


@pytest.mark.slow
@pytest.mark.parametrize("forbidden", ["", "the system forbids it"])
def test_the_same_machine_makes_the_same_bytes_again(
    lock: Lock, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forbidden: str
) -> None:
    if forbidden:
        monkeypatch.setattr(wheels, "why_not_shut_in", lambda: forbidden)
    assert sources.locked(tmp_path / "other", "native==1.0") == lock


@pytest.mark.slow
def test_another_wheel_is_told_with_both_compilers(lock: Lock, sources: Sources, tmp_path: Path) -> None:
    (package,) = lock.packages
    assert package.build is not None
    elsewhere = replace(
        package,
        wheels=(replace(package.wheels[0], sha256="0" * 64),),
        build=replace(package.build, compiler="cc (Elsewhere) 1.0"),
    )
    with pytest.raises(NoEnvironment, match="is not the wheel of the lock") as refusal:
        shop_of(tmp_path, sources, replace(lock, packages=(elsewhere,))).prepare("tools")
    assert f"compiled by cc (Elsewhere) 1.0, and here is {built(lock)}" in refusal.value.why


@pytest.mark.slow
def test_a_lock_that_is_made_again_takes_the_wheel_that_is_kept(lock: Lock, sources: Sources, locking: Path) -> None:
    said: list[str] = []
    builder = replace(builder_of(sources.environ, locking), announce=lambda what, why: said.append(what))
    request = sources.request("native==1.0")
    assert builder.locked(request, cut_off=CUT_OFF) == lock
    assert said == []
    (wheel,) = built_wheels_folder(locking).glob("*/*.whl")
    wheel.write_bytes(b"")
    assert builder.locked(request, cut_off=CUT_OFF) == lock
    assert said == ["native 1.0"]


@pytest.mark.slow
def test_who_has_no_compiler_is_told_which_package_has_one(sources: Sources, tmp_path: Path) -> None:
    alone = replace(sources, environ={**sources.environ, "PATH": str(tmp_path)})
    with pytest.raises(NoEnvironment, match="native could not be built") as refusal:
        alone.locked(tmp_path / "home", "native==1.0")
    assert "apt-get install build-essential" in refusal.value.next_step


@pytest.mark.slow
def test_a_missing_header_of_the_system_is_named(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(NoEnvironment, match="lacking could not be built") as refusal:
        sources.locked(tmp_path, "lacking==1.0")
    assert "apt-file search of_the_system.h" in refusal.value.next_step


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("native.c:2:10: fatal error: Python.h: No such file or directory", "python{minor}-dev"),
        ("error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "build-essential"),
        ("../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc']]", "build-essential"),
        ("CMake Error: No CMAKE_CXX_COMPILER could be found.", "build-essential"),
        ("ZeroDivisionError: division by zero", "use another version"),
    ],
)
def test_what_a_build_says_leads_to_what_is_missing(host: HostFacts, said: str, advice: str) -> None:
    python = host.usable[0]
    error = failed_saying("native", said, python.real_path)
    assert advice.format(minor=minor_of(python)) in error.next_step
    assert error.why == said
