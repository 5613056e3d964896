"""A project starts from an envguard.toml that is complete, explained and valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog, read_catalog
from envguard.cli.projects.init import template
from tests.support.command import envguard


def test_it_writes_a_project_that_can_be_listed(tmp_path: Path) -> None:
    made = envguard("init", home=tmp_path / "home", cwd=tmp_path)
    assert (made.code, made.err) == (0, "")
    assert (tmp_path / "envguard.toml").read_text(encoding="utf-8") == template()
    assert [path.name for path in tmp_path.iterdir()] == ["envguard.toml"]
    listed = envguard("list", "--json", home=tmp_path / "home", cwd=tmp_path)
    assert "pages" in {row["name"] for row in listed.document["environments"]}


def test_what_is_only_shown_is_valid_as_well(tmp_path: Path) -> None:
    file = tmp_path / "envguard.toml"
    file.write_text(re.sub(r"^#(?! )", "", template(), flags=re.MULTILINE), encoding="utf-8")
    catalog = read_catalog(file, lockfiles=tmp_path, base=builtin_catalog())
    assert [edition.name for edition in catalog.environments["pages"].editions] == ["2", "2.16"]
    assert catalog.environments["pages"].editions[0].overrides
    assert all((catalog.index.url, catalog.index.certificates, catalog.index.proxy))


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "envguard.toml"
    file.write_text("mine", encoding="utf-8")
    refused = envguard("init", home=tmp_path / "home", cwd=tmp_path)
    assert refused.code == 2
    assert "envguard.toml already exists" in refused.err
    assert file.read_text(encoding="utf-8") == "mine"
    file.unlink()
    file.symlink_to(tmp_path / "nowhere")
    assert envguard("init", tmp_path, home=tmp_path / "home").code == 2
    assert file.is_symlink()


def test_a_folder_that_cannot_be_written_to_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    refused = envguard("init", tmp_path / "none", home=tmp_path / "home")
    assert refused.code == 2
    assert "cannot be written" in refused.err
    assert "\n  next: " in refused.err
    assert not list(tmp_path.iterdir())


@pytest.mark.network
def test_from_nothing_to_a_result_in_four_commands(tmp_path: Path, store_home: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for command in (
        ["init"],
        ["lock"],
        ["setup"],
        ["lock", "--check"],
        ["run", "page", "envguard.toml", "-o", "page.html"],
    ):
        ended = envguard(*command, home=store_home, cwd=project)
        assert ended.code == 0, f"{command}: {ended.out}{ended.err}"
    assert "<html>" in (project / "page.html").read_text(encoding="utf-8")
