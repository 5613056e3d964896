"""Which files belong to a package of the project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.catalog.own_sources import digest_of, settled_in, sources_in

SETTINGS = """
[build-system]
requires = ["setuptools"]

[project]
name = "mine"
readme = "ABOUT.md"

[tool.setuptools]
ext-modules = [{ name = "mine._sum", sources = ["native/sum.c"] }]

[tool.pytest.ini_options]
testpaths = ["checks"]
"""
PART = (
    "pyproject.toml", "setup.py", "LICENSE", "ABOUT.md", "mine/__init__.py", "mine/data.json", "native/sum.c",
    "space/inner/__init__.py", "helper.py",
)  # fmt: skip
NO_PART = (
    "tests/__init__.py", "checks/it.py", "report.json", "build/lib/x.py", "mine.egg-info/PKG-INFO", ".git/config",
    "mine/__pycache__/x.pyc", "mine/_sum.cpython-311-x86_64-linux-gnu.so", "venv/pyvenv.cfg", "venv/mine/__init__.py",
    "lockfiles/dev/1/cp311.txt", "mine/.hidden",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*PART, *NO_PART):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SETTINGS if name == "pyproject.toml" else "")
    return tmp_path


def test_settings_packages_modules_and_what_settings_name_are_part_of_it(folder: Path) -> None:
    assert {path.relative_to(folder).as_posix() for path in sources_in(folder)} == set(PART)


def test_in_place_only_what_is_not_python_s_needs_another_build(folder: Path) -> None:
    before = digest_of(folder, settled_in(folder))
    (folder / "mine" / "__init__.py").write_text("changed = True\n")
    assert digest_of(folder, settled_in(folder)) == before
    (folder / "native" / "sum.c").write_text("/* changed */\n")
    assert digest_of(folder, settled_in(folder)) != before


def test_a_link_out_of_it_is_refused(folder: Path) -> None:
    (folder / "mine" / "away").symlink_to(folder.parent)
    with pytest.raises(ValueError, match="leads to a folder, or out of the package"):
        sources_in(folder)
