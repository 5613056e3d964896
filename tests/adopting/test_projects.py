"""What `envguard init --from` writes locks, and the environment that comes of it holds what the file asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from envguard.catalog import builtin_catalog
from envguard.locks.lockfile import read_lock
from envguard.toml import parse_toml
from tests.support.command import Ended, envguard
from tests.support.local_index import Index, make_authority, make_wheel, serving

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Served:
    """An index of five packages, and how commands reach it."""

    index: Index
    environ: dict[str, str]
    home: Path

    def run(self, *arguments: str | Path, cwd: Path) -> Ended:
        return envguard(*arguments, home=self.home, cwd=cwd, **self.environ)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, store_home: Path) -> Iterator[Served]:
    wheels = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "lead", version, needs=("common",))
        make_wheel(wheels, "common", version)
    make_wheel(wheels, "broken", "1.0", code="import nothing_of_this_name\n")
    make_wheel(wheels, "only_windows", "1.0", "py3-none-win_amd64")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    with serving(wheels, authority) as index:
        environ = {"UV_DEFAULT_INDEX": index.url(), "SSL_CERT_FILE": str(authority.certificate)}
        yield Served(index, environ, store_home)


def pins(project: Path, environment: str) -> dict[str, str]:
    lock = read_lock(project / "lockfiles" / environment / "1" / "cp311.txt")
    return {package.name: package.version for package in lock.packages}


FILES = {
    "requirements.txt": ("lead\n-c limits.txt\n-e .\n", {"lead": "1.0", "common": "2.0"}),
    "pyproject.toml": (
        '[project]\nname = "project"\nrequires-python = "==3.11.*"\ndependencies = ["lead>1"]\n',
        {"lead": "2.0", "common": "2.0"},
    ),
    "environment.yml": (
        "dependencies:\n- python=3.11\n- lead=1\n- libconda=1.0\n- pip:\n  - common<2\n",
        {"lead": "1.0", "common": "1.0"},
    ),
    "uv.lock": (
        'version = 1\nrequires-python = "==3.11.*"\n'
        '[[package]]\nname = "project"\nsource = {virtual = "."}\ndependencies = [{name = "lead"}]\n'
        '[[package]]\nname = "lead"\nversion = "1.0"\nsource = {registry = "INDEX"}\n'
        'wheels = [{url = "INDEX/lead-1.0-py3-none-any.whl"}]\ndependencies = [{name = "common"}]\n'
        '[[package]]\nname = "common"\nversion = "1.0"\nsource = {registry = "INDEX"}\n'
        'wheels = [{url = "INDEX/common-1.0-py3-none-any.whl"}]\n',
        {"lead": "1.0", "common": "1.0"},
    ),
    "pylock.toml": (
        'lock-version = "1.0"\ncreated-by = "me"\nrequires-python = "==3.11.*"\n[[packages]]\nname = "common"\n'
        'version = "1.0"\n[[packages.wheels]]\nurl = "INDEX/common-1.0-py3-none-any.whl"\n'
        f'hashes = {{sha256 = "{"0" * 64}"}}\n',
        {"common": "1.0"},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_locks_as_the_file_asks(served: Served, tmp_path: Path, name: str) -> None:
    text, expected = FILES[name]
    project = tmp_path / "project"
    project.mkdir()
    (project / name).write_text(text.replace("INDEX", served.index.url()), encoding="utf-8")
    (project / "limits.txt").write_text("lead<2\n", encoding="utf-8")
    made = served.run("init", "--from", name, cwd=project)
    assert made.code == 0, made.err
    locked = served.run("lock", cwd=project)
    assert locked.code == 0, locked.out + locked.err
    assert pins(project, "project") == expected


def test_a_package_to_build_is_for_the_pythons_that_are_here(served: Served, tmp_path: Path) -> None:
    text = '[build-system]\nrequires = []\n[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.10"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    made = served.run("init", "--from", "pyproject.toml", cwd=tmp_path)
    assert made.code == 0, made.err
    written: Any = parse_toml((tmp_path / "envguard.toml").read_text(encoding="utf-8"))
    probed = served.run("probe", "--json", cwd=tmp_path).document["interpreters"]
    here = {".".join(each["version"].split(".")[:2]) for each in probed if each["usable"]}
    pythons = set(written["environments"]["mine"]["pythons"])
    assert pythons == here & set(builtin_catalog().pythons)


def test_what_conda_alone_has_is_left_out_and_named(served: Served, tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text(FILES["environment.yml"][0], encoding="utf-8")
    made = served.run("init", "--from", "environment.yml", cwd=tmp_path)
    assert "libconda==1.0.* was left out: the package index has no wheel of it" in made.out
    assert "# - libconda==1.0.* was left out" in (tmp_path / "envguard.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("wanted", "code"), [("lead", 0), ("broken", 3)])
def test_the_environment_is_proved_by_importing_what_was_asked_for(
    served: Served, tmp_path: Path, wanted: str, code: int
) -> None:
    (tmp_path / "requirements.txt").write_text(f"{wanted}\nonly-windows ; sys_platform == 'win32'\n", encoding="utf-8")
    for command in (["init", "--from", "requirements.txt"], ["lock"]):
        ended = served.run(*command, cwd=tmp_path)
        assert ended.code == 0, ended.err
    name = next((tmp_path / "lockfiles").iterdir()).name
    created = served.run("create", name, cwd=tmp_path)
    assert created.code == code, created.out + created.err
    assert code == 0 or "broken: ModuleNotFoundError" in created.err


def test_nothing_is_written_if_the_file_cannot_be_used(served: Served, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-e .\n", encoding="utf-8")
    refused = served.run("init", "--from", "requirements.txt", cwd=tmp_path)
    assert refused.code == 2
    assert "requires nothing that can be locked" in refused.err
    assert not (tmp_path / "envguard.toml").exists()
    assert served.run("init", "--extra", "all", cwd=tmp_path).code == 2
