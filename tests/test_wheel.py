"""The wheel holds all that an installed envguard needs, and works outside of a checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from envguard import __version__
from envguard.backends.image_context import build_files
from envguard.catalog import builtin_catalog, shipped_lockfiles
from envguard.store.home import installer_cache
from tests.support.wheel_smoke import build, install, try_out

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


def test_it_holds_the_catalog_the_locks_the_proofs_and_the_payload(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"envguard/catalog/builtin.toml", "envguard/doctor/rules.toml", "envguard/payload/__main__.py"} <= names
    assert {f"envguard/payload/reporting/page.{suffix}" for suffix in ("html", "css")} <= names
    shipped = [path for path in shipped_lockfiles().rglob("*") if path.is_file()]
    assert {path.suffix for path in shipped} == {".txt", ".json"}
    for file in shipped:
        assert f"envguard/data/lockfiles/{file.relative_to(shipped_lockfiles()).as_posix()}" in names
    for file in build_files().iterdir():
        assert f"envguard/data/images/{file.name}" in names
    assert f"envguard-{__version__}.data/data/share/man/man1/envguard.1" in names
    assert not [name for name in names if "test" in name.lower() or name.startswith("docs")]


def test_it_says_what_it_is_and_under_which_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(path).decode())
        licence = archive.read(path.replace("METADATA", "licenses/LICENSE"))
    assert (metadata["Name"], metadata["Version"]) == ("envguard", __version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert licence == (CHECKOUT / "LICENSE").read_bytes()
    asked = {Requirement(each).name for each in metadata.get_all("Requires-Dist", [])}
    edition = builtin_catalog().environments["envguard"].edition("host")
    assert edition is not None
    assert asked == {Requirement(each).name for each in edition.requirements}


def test_the_changelog_tells_of_this_version() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in changelog


@pytest.mark.network
@pytest.mark.slow
def test_a_release_works_where_it_is_installed(store_home: Path, tmp_path: Path) -> None:
    cache = installer_cache(store_home)
    try_out(install(build(tmp_path / "dist", cache), tmp_path, cache), print)
