"""A project whose packages come from two indexes, and one whose packages install the same files, as a user has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Ended, envguard
from tests.support.local_index import Index, make_authority, make_wheel, serving
from tests.support.tiny import PYTHON

pytestmark = pytest.mark.slow

CUT_OFF = "2026-06-01T00:00:00Z"
INDEXES = """
[[index]]
name = "private"
url = "{private}"
packages = ["ours"]

[[index]]
url = "{public}"
"""
ENVIRONMENT = """
schema = 1

[environments.tools]
summary = "tools"
pythons = ["{python}"]
{more}
check = "checks.imports"
check-options = {{ modules = ["{module}"] }}

[environments.tools.editions.1]
requirements = {requirements}
"""


@dataclass(frozen=True)
class Indexes:
    """A public index and a private one, which tells no dates, and what a user's variables say of both."""

    public: Index
    private: Index
    environ: Mapping[str, str]


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    public, private = (tmp_path_factory.mktemp(name) for name in ("public", "private"))
    make_wheel(public, "common", "1.0")
    make_wheel(public, "ours", "9.0")
    make_wheel(private, "ours", "1.0", needs=("common",))
    for name in ("alpha", "beta", "gamma"):
        make_wheel(public, name, "1.0", others={"shared.py": f"owner = {name!r}\n"})
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    with serving(public, authority) as first, serving(private, authority, dated=False) as second:
        yield Indexes(first, second, {"SSL_CERT_FILE": str(authority.certificate)})


@dataclass(frozen=True)
class Project:
    """A folder with an envguard.toml, a store, and commands in it."""

    folder: Path
    home: Path
    environ: Mapping[str, str]

    def run(self, *arguments: str, **environ: str) -> Ended:
        return envguard(*arguments, home=self.home, cwd=self.folder, **{**self.environ, **environ})

    def does(self, *arguments: str) -> Ended:
        ended = self.run(*arguments)
        assert ended.code == 0, ended.err
        return ended


def project(folder: Path, indexes: Indexes, requirements: list[str], *, module: str, more: str = "") -> Project:
    """One that is locked and trusted."""
    folder.mkdir()
    text = ENVIRONMENT.format(python=PYTHON, more=more, module=module, requirements=json.dumps(requirements))
    text += INDEXES.format(private=indexes.private.url(), public=indexes.public.url())
    (folder / "envguard.toml").write_text(text, encoding="utf-8")
    made = Project(folder, folder.parent / "home", indexes.environ)
    made.does("trust")
    made.does("lock", "--cut-off", CUT_OFF)
    return made


def test_each_package_is_installed_from_its_own_index(tmp_path: Path, indexes: Indexes) -> None:
    made = project(tmp_path / "project", indexes, ["ours"], module="ours")
    for index in (indexes.public, indexes.private):
        index.asked.clear()
    made.does("create", "tools")
    print_versions = "import common, ours; print(common.version, ours.version)"
    assert made.does("exec", "tools", "--", "python", "-c", print_versions).out == "1.0 1.0\n"
    assert not [path for path in indexes.public.asked if "ours" in path]
    assert not [path for path in indexes.private.asked if "common" in path]
    assert made.does("lock", "--check").code == 0
    assert list((tmp_path / "home" / "environments").glob("tools-*/venv/lib/*/site-packages/__pycache__/ours.*.pyc"))


def test_an_index_that_wants_a_password_is_told_by_variables(tmp_path: Path, indexes: Indexes) -> None:
    authority = make_authority(tmp_path)
    (tmp_path / "files").mkdir()
    make_wheel(tmp_path / "files", "ours", "1.0")
    variables = {"SSL_CERT_FILE": str(authority.certificate)}
    with serving(tmp_path / "files", authority, "me:secret", dated=False) as private:
        (tmp_path / "envguard.toml").write_text(
            ENVIRONMENT.format(python=PYTHON, more="", module="ours", requirements='["ours"]')
            + INDEXES.format(private=private.url(), public=private.url()),
            encoding="utf-8",
        )
        made = Project(tmp_path, tmp_path / "home", variables)
        made.does("trust")
        refused = made.run("lock")
        assert refused.code == 3
        assert "set UV_INDEX_PRIVATE_USERNAME and UV_INDEX_PRIVATE_PASSWORD" in refused.err
        assert made.run("lock", UV_INDEX_PRIVATE_USERNAME="me", UV_INDEX_PRIVATE_PASSWORD="secret").code == 0
        stranger = made.run("lock", "--upgrade", SSL_CERT_FILE=str(indexes.environ["SSL_CERT_FILE"]))
        assert "Set SSL_CERT_FILE to a file with the authorities to trust" in stranger.err


def test_a_lock_that_keeps_a_newer_release_out_says_how_to_take_it(tmp_path: Path, indexes: Indexes) -> None:
    made = project(tmp_path / "project", indexes, ["common"], module="common")
    file = made.folder / "envguard.toml"
    file.write_text(file.read_text().replace('["common"]', '["common>=2"]'), encoding="utf-8")
    made.does("trust")
    refused = made.run("lock")
    assert refused.code == 3
    assert f"`envguard lock --upgrade` counts what was uploaded after {CUT_OFF}" in refused.err


def test_pip_installs_them_from_there_too(tmp_path: Path, indexes: Indexes) -> None:
    made = project(tmp_path / "project", indexes, ["ours"], module="ours")
    ended = made.run("create", "tools", ENVGUARD_INSTALLER="pip")
    assert ended.code == 0, ended.err


def test_an_export_has_the_files_of_both(tmp_path: Path, indexes: Indexes) -> None:
    made = project(tmp_path / "project", indexes, ["ours"], module="ours")
    made.does("export", "tools", "--format", "pylock", "-o", str(tmp_path / "pylock.toml"))
    text = (tmp_path / "pylock.toml").read_text(encoding="utf-8")
    assert f"{indexes.private.host}/files/ours-1.0" in text
    assert f"{indexes.public.host}/files/common-1.0" in text


def test_a_project_that_is_not_trusted_asks_none_of_its_indexes(tmp_path: Path, indexes: Indexes) -> None:
    made = project(tmp_path / "project", indexes, ["ours"], module="ours")
    with (made.folder / "envguard.toml").open("a", encoding="utf-8") as file:
        file.write("# another hand was here\n")
    indexes.private.asked.clear()
    for command in (("create", "tools"), ("lock",), ("export", "tools", "--format", "pylock", "-o", "x")):
        assert made.run(*command).code != 0
    assert not indexes.private.asked


def test_packages_that_install_the_same_files_are_named_with_them(tmp_path: Path, indexes: Indexes) -> None:
    made = project(tmp_path / "project", indexes, ["alpha", "gamma"], module="shared")
    ended = made.run("create", "tools")
    assert ended.code == 3
    assert "alpha and gamma install the same files" in ended.err
    assert "shared.py" in ended.err
    assert 'overlaps = "allow"' in ended.err


def test_where_it_is_allowed_the_last_by_name_wins_and_is_recorded(tmp_path: Path, indexes: Indexes) -> None:
    more = 'overlaps = "allow"'
    made = project(tmp_path / "project", indexes, ["gamma", "beta", "alpha"], module="shared", more=more)
    made.does("create", "tools")
    found = made.does("exec", "tools", "--", "python", "-c", "import shared; print(shared.owner)").out
    assert found == "gamma\n"
    (marker,) = (tmp_path / "home" / "environments").glob("tools-*/ready.json")
    overlaps = json.loads(marker.read_bytes())["overlaps"]
    owners = ["alpha-1.0", "beta-1.0", "gamma-1.0"]
    assert overlaps == [{"path": "shared.py", "owners": owners, "kept": "gamma-1.0"}]
    made.does("store", "verify")
    assert list(marker.parent.glob("venv/lib/*/site-packages/__pycache__/shared.*.pyc"))
