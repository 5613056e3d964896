"""A browser is looked for on PATH and where installers put it, on every system, without starting anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.browsers import find_browser


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


@pytest.mark.parametrize(
    "name", ["chromium", "chromium-headless-shell", "google-chrome-stable", "microsoft-edge", "chromium-browser"]
)
def test_one_on_path_is_found_by_the_names_that_distributions_give_it(name: str, tmp_path: Path) -> None:
    wanted = program(tmp_path / "bin" / name)
    found = find_browser({"PATH": f"/nowhere:{tmp_path}/bin"}, tmp_path, root=tmp_path, system="linux")
    assert found == wanted


@pytest.mark.parametrize(
    ("system", "path"),
    [
        ("darwin", "Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
        ("darwin", "home/Applications/Chromium.app/Contents/MacOS/Chromium"),
        ("win32", "programs/Google/Chrome/Application/chrome.exe"),
        ("win32", "local/Microsoft/Edge/Application/msedge.exe"),
        ("linux", "opt/google/chrome/chrome"),
        ("linux", "snap/bin/chromium"),
    ],
)
def test_one_is_found_where_installers_put_it(system: str, path: str, tmp_path: Path) -> None:
    wanted = program(tmp_path / path)
    environ = {"PROGRAMFILES": str(tmp_path / "programs"), "LOCALAPPDATA": str(tmp_path / "local")}
    assert find_browser(environ, tmp_path / "home", root=tmp_path, system=system) == wanted


def test_the_variable_names_another_and_nothing_else_is_taken_then(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "chromium")
    mine = program(tmp_path / "mine")
    environ = {"PATH": str(tmp_path / "bin"), "ENVGUARD_BROWSER": str(mine)}
    assert find_browser(environ, tmp_path, root=tmp_path) == mine
    environ["ENVGUARD_BROWSER"] = str(tmp_path / "none")
    assert find_browser(environ, tmp_path, root=tmp_path) is None


def test_neither_a_folder_nor_a_file_that_cannot_be_run_nor_a_relative_path_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "chromium").mkdir(parents=True)
    (tmp_path / "bin" / "chrome").touch(mode=0o644)
    program(tmp_path / "here" / "chromium")
    monkeypatch.chdir(tmp_path / "here")
    environ = {"PATH": f"{tmp_path}/bin:.:"}
    assert find_browser(environ, tmp_path, root=tmp_path, system="linux") is None
