"""npm's packages come from the registry that its user names, are kept by hash, and are never anything else."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from envguard.backends.installers.settings import Installer
from envguard.backends.npm import install_npm_packages
from envguard.errors import NoEnvironment
from envguard.host.variables import installer_variables, npm_variables
from envguard.layout import Layout
from envguard.locks.uv import find_uv
from tests.support.environments import workshop
from tests.support.npm_registry import CONTENT, NAME, archive_of, npm_registry, package_of

pytestmark = [pytest.mark.network, pytest.mark.slow]

GOOD = archive_of(CONTENT)


@pytest.fixture(scope="module")
def carrier(store_home: Path) -> Layout:
    """The environment that has npm."""
    return workshop(store_home).prepare("web").built.layout


@pytest.fixture
def target(carrier: Layout, tmp_path: Path) -> Layout:
    """An empty environment with that npm: its interpreter is the carrier's own, its folder is not."""
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec "{carrier.python}" "$@"\n')
    python.chmod(0o755)
    return Layout(python, carrier.site_packages)


def installer_of(folder: Path, **variables: str) -> Installer:
    home = folder / "home"
    for each in (home, folder / "logs"):
        each.mkdir(exist_ok=True)
    environ = {**os.environ, "HOME": str(home), **variables}
    cache, logs = folder / "uv-cache", folder / "logs"
    return Installer(find_uv(), installer_variables(environ), cache, logs, npm_variables=npm_variables(environ))


def content_of(layout: Layout) -> dict[str, str]:
    folder = layout.root / "lib" / "node_modules" / NAME
    return {f"package/{path.relative_to(folder)}": path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_package_comes_from_the_registry_of_npms_variable(target: Layout, tmp_path: Path) -> None:
    with npm_registry(GOOD) as registry:
        installer = installer_of(tmp_path, npm_config_registry=registry.url)
        install_npm_packages(target, [package_of(GOOD)], installer)
    assert content_of(target) == CONTENT
    assert {path for path, _ in registry.asked} == {"/@private%2fthing", "/thing-1.2.3.tgz"}


def test_npmrc_names_a_registry_and_its_credentials_which_go_nowhere_else(target: Layout, tmp_path: Path) -> None:
    with npm_registry(GOOD) as mine, npm_registry(GOOD) as other:
        installer = installer_of(tmp_path, MY_TOKEN="s3cr3t")
        host = mine.url.removeprefix("http:")
        (tmp_path / "home" / ".npmrc").write_text(
            f"registry={other.url}\n@private:registry={mine.url}\n{host}:_authToken=${{MY_TOKEN}}\n"
        )
        install_npm_packages(target, [package_of(GOOD)], installer)
    assert content_of(target) == CONTENT
    assert {said for _, said in mine.asked} == {"Bearer s3cr3t"}
    assert other.asked == []


def test_it_is_fetched_once_and_then_had_offline(target: Layout, tmp_path: Path) -> None:
    with npm_registry(GOOD) as registry:
        installer = installer_of(tmp_path, npm_config_registry=registry.url)
        install_npm_packages(target, [package_of(GOOD)], installer)
    elsewhere = Layout(tmp_path / "again" / "bin" / "python", target.site_packages)
    install_npm_packages(elsewhere, [package_of(GOOD)], dataclasses.replace(installer, offline=True))
    assert content_of(elsewhere) == CONTENT


def test_an_archive_that_was_damaged_on_disk_is_fetched_again(target: Layout, tmp_path: Path) -> None:
    with npm_registry(GOOD) as registry:
        installer = installer_of(tmp_path, npm_config_registry=registry.url)
        kept = installer.cache / "npm" / f"{package_of(GOOD).hex_digest}.tgz"
        kept.parent.mkdir(parents=True)
        kept.write_bytes(GOOD[:-1])
        install_npm_packages(target, [package_of(GOOD)], installer)
    assert content_of(target) == CONTENT
    assert kept.read_bytes() == GOOD


def test_offline_what_is_not_here_is_asked_of_nobody(target: Layout, tmp_path: Path) -> None:
    with npm_registry(GOOD) as registry:
        installer = installer_of(tmp_path, npm_config_registry=registry.url)
        with pytest.raises(NoEnvironment, match="not in the store"):
            install_npm_packages(target, [package_of(GOOD)], dataclasses.replace(installer, offline=True))
    assert registry.asked == []


def test_a_folder_that_the_user_names_replaces_the_registry(target: Layout, tmp_path: Path) -> None:
    (tmp_path / package_of(GOOD).archive).write_bytes(GOOD)
    installer = dataclasses.replace(installer_of(tmp_path), find_links=(tmp_path,))
    install_npm_packages(target, [package_of(GOOD)], installer)
    assert content_of(target) == CONTENT


def test_another_archive_than_the_locks_is_refused_and_not_kept(target: Layout, tmp_path: Path) -> None:
    with npm_registry(archive_of({**CONTENT, "package/thing.js": "evil"})) as registry:
        installer = installer_of(tmp_path, npm_config_registry=registry.url)
        with pytest.raises(NoEnvironment, match="another file"):
            install_npm_packages(target, [package_of(GOOD)], installer)
    assert not list((installer.cache / "npm").glob("*.tgz"))
    assert content_of(target) == {}


@pytest.mark.parametrize(
    "archive",
    [
        archive_of({"package/../../../evil": "x"}),
        archive_of({"package/C:evil": "x"}),
        archive_of({"package/a\\..\\evil": "x"}),
        archive_of({"/evil": "x"}),
        archive_of(CONTENT, link="package/link"),
        GOOD[: len(GOOD) // 2],
        b"no archive",
    ],
    ids=["upwards", "drive", "backslash", "absolute", "link", "truncated", "other"],
)
def test_an_archive_that_is_not_files_in_a_folder_is_refused(target: Layout, tmp_path: Path, archive: bytes) -> None:
    (tmp_path / package_of(archive).archive).write_bytes(archive)
    installer = dataclasses.replace(installer_of(tmp_path), find_links=(tmp_path,))
    with pytest.raises(NoEnvironment, match="cannot be unpacked"):
        install_npm_packages(target, [package_of(archive)], installer)
    assert not list(tmp_path.rglob("evil*"))
