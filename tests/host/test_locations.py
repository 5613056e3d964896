"""Interpreters are looked for where people's tools put them, on every system, without starting anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.locations import PossibleInterpreter, is_named_like_interpreter, possible_interpreters


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def found(tmp_path: Path, environ: dict[str, str], system: str = "linux", home: str = "home") -> list[tuple[str, str]]:
    """Places and paths below `tmp_path`, which stands for the root of the host."""
    rows = possible_interpreters(environ, tmp_path / home, root=tmp_path, system=system)
    return [(row.place, str(row.path.relative_to(tmp_path))) for row in rows]


@pytest.mark.parametrize(
    "name",
    ["python", "python3", "python3.11", "python2.7", "python3.13t", "python3.12d", "pypy3", "pypy3.10", "python.exe"],
)
def test_interpreters_are_known_by_name(name: str) -> None:
    assert is_named_like_interpreter(Path(name))


@pytest.mark.parametrize(
    "name", ["python3-config", "python3.11-gdb.py", "ipython", "pythonw.exe", "python3.11.so", "python3\n", "py"]
)
def test_other_programs_are_not_interpreters(name: str) -> None:
    assert not is_named_like_interpreter(Path(name))


@pytest.mark.parametrize(
    ("variables", "place", "path"),
    [
        ({}, "pyenv", "home/.pyenv/versions/3.11.7/bin/python3"),
        ({"PYENV_ROOT": "pyenv"}, "pyenv", "pyenv/versions/pypy3.10-7.3.17/bin/pypy3"),
        ({"PATH": "elsewhere/shims"}, "pyenv", "elsewhere/versions/3.9.1/bin/python3"),
        ({}, "uv", "home/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu/bin/python3"),
        ({"XDG_DATA_HOME": "data"}, "uv", "data/uv/python/cpython-3.12.4-linux-x86_64-gnu/bin/python3"),
        ({"UV_PYTHON_INSTALL_DIR": "uv"}, "uv", "uv/cpython-3.8.1-linux-x86_64-gnu/install/bin/python3"),
        ({}, "asdf", "home/.asdf/installs/python/3.12.1/bin/python3"),
        ({"ASDF_DATA_DIR": "asdf"}, "asdf", "asdf/installs/python/3.12.1/bin/python3"),
        ({}, "mise", "home/.local/share/mise/installs/python/3.13.0/bin/python3"),
        ({"MISE_DATA_DIR": "mise"}, "mise", "mise/installs/python/3.13.0/bin/python3"),
        ({}, "conda", "home/miniforge3/bin/python3"),
        ({}, "conda", "home/miniconda3/envs/science/bin/python3"),
        ({"CONDA_PREFIX": "conda/envs/one"}, "conda", "conda/envs/one/bin/python3"),
        ({"CONDA_EXE": "conda/bin/conda"}, "conda", "conda/envs/two/bin/python3"),
        ({}, "homebrew", "home/linuxbrew/.linuxbrew/opt/python@3.12/bin/python3.12"),
        ({}, "system", "usr/local/bin/python3.10"),
        ({}, "system", "opt/python3.12/bin/python3.12"),
        ({}, "system", "opt/python/cp312-cp312/bin/python3"),
        ({"PATH": "bin one:bin two"}, "PATH", "bin two/python3.11"),
    ],
)
def test_each_tool_s_interpreters_are_found(tmp_path: Path, variables: dict[str, str], place: str, path: str) -> None:
    touch(tmp_path / path)
    environ = {name: ":".join(str(tmp_path / part) for part in value.split(":")) for name, value in variables.items()}
    assert found(tmp_path, environ) == [(place, path)]


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("framework", "Library/Frameworks/Python.framework/Versions/3.12/bin/python3"),
        ("framework", "home/Library/Frameworks/Python.framework/Versions/3.12/bin/python3"),
        ("Xcode", "Library/Developer/CommandLineTools/usr/bin/python3"),
        ("homebrew", "opt/homebrew/bin/python3.13"),
    ],
)
def test_macos_has_places_of_its_own(tmp_path: Path, place: str, path: str) -> None:
    touch(tmp_path / path)
    assert found(tmp_path, {}, system="darwin") == [(place, path)]


def test_apple_s_stub_is_left_alone(tmp_path: Path) -> None:
    touch(tmp_path / "usr/bin/python3")
    assert found(tmp_path, {"PATH": str(tmp_path / "usr/bin")}, system="darwin") == []


def test_windows_installations_have_their_python_at_the_top(tmp_path: Path) -> None:
    touch(tmp_path / "home/.pyenv/pyenv-win/versions/3.11.7/python.exe")
    touch(tmp_path / "home/AppData/Roaming/uv/python/cpython-3.12.4-windows-x86_64-none/python.exe")
    assert [place for place, _ in found(tmp_path, {}, system="win32")] == ["pyenv", "uv"]


def test_conda_s_list_of_environments_is_read(tmp_path: Path) -> None:
    path = touch(tmp_path / "projects/one/bin/python3")
    listed = touch(tmp_path / "home/.conda/environments.txt")
    listed.write_bytes(f"{path.parent.parent}\nnot/absolute\n/no/such\xff\n\n".encode("latin-1"))
    assert found(tmp_path, {}) == [("conda", "projects/one/bin/python3")]


def test_an_environment_without_python_is_none_in_conda_and_a_wreck_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "home/miniconda3/envs/only-r/bin").mkdir(parents=True)
    (tmp_path / "home/.pyenv/versions/3.14.0").mkdir(parents=True)
    assert found(tmp_path, {}) == [("pyenv", "home/.pyenv/versions/3.14.0/bin/python3")]


def test_a_store_s_links_to_its_own_versions_are_not_versions(tmp_path: Path) -> None:
    store = tmp_path / "home/.local/share/mise/installs/python"
    touch(store / "3.13.0/bin/python3")
    (store / "3.13").symlink_to("3.13.0")
    (store / "latest").symlink_to("./3.13.0")
    touch(store / ".lock")
    touch(store / "readme.txt")
    assert found(tmp_path, {}) == [("mise", "home/.local/share/mise/installs/python/3.13.0/bin/python3")]


def test_a_version_linked_into_a_store_from_outside_is_one(tmp_path: Path) -> None:
    touch(tmp_path / "built/3.12/bin/python3")
    store = tmp_path / "home/.pyenv/versions"
    store.mkdir(parents=True)
    (store / "mine").symlink_to(tmp_path / "built/3.12")
    assert found(tmp_path, {}) == [("pyenv", "home/.pyenv/versions/mine/bin/python3")]


def test_relative_and_empty_parts_of_path_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "bin-here/python3")
    monkeypatch.chdir(tmp_path)
    assert found(tmp_path, {"PATH": "bin-here::.:"}) == []


def test_relative_stores_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "pyenv/versions/3.11.7/bin/python3")
    monkeypatch.chdir(tmp_path)
    assert found(tmp_path, {"PYENV_ROOT": "pyenv", "UV_PYTHON_INSTALL_DIR": "pyenv/versions"}) == []


def test_shims_are_known_by_their_folder(tmp_path: Path) -> None:
    shim = touch(tmp_path / "pyenv/shims/python3")
    (row,) = possible_interpreters({"PATH": str(shim.parent)}, tmp_path / "home", root=tmp_path, system="linux")
    assert row == PossibleInterpreter("PATH", shim, shim=True)


def test_a_folder_with_a_hostile_name_is_searched_like_any_other(tmp_path: Path) -> None:
    path = touch(tmp_path / "line\nbreak\x1b[31m" / "python3")
    (row,) = possible_interpreters({"PATH": str(path.parent)}, tmp_path / "home", root=tmp_path, system="linux")
    assert row.path == path
