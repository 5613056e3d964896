"""What a newcomer mistypes or has not made yet is what the error is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import envguard


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without locks, with the environment `pages`."""
    folder = tmp_path / "project"
    folder.mkdir()
    assert envguard("init", home=tmp_path / "home", cwd=folder).code == 0
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "pages"],
        ["exec", "pages", "--", "python"],
        ["path", "pages"],
        ["export", "pages", "--format", "requirements"],
        ["export", "pages", "--format", "requirements", "--python", "3.11"],
        ["run", "page", "envguard.toml", "-o", "out.html"],
    ],
    ids=" ".join,
)
def test_without_a_lock_the_error_is_about_the_lock(project: Path, arguments: list[str]) -> None:
    ended = envguard(*arguments, home=project.parent / "home", cwd=project)
    assert ended.code == 3
    assert ended.err.startswith("envguard: The environment 'pages' has no lock yet.")
    assert "envguard lock pages" in ended.err


def test_the_matrix_says_how_to_make_locks_where_there_are_none(project: Path) -> None:
    assert "`envguard lock pages` makes them" in envguard("matrix", home=project.parent / "home", cwd=project).out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["exec", "pgaes", "--", "python"], "pages"),
        (["path", "qantize"], "quantize"),
        (["create", "pages", "smaples"], "samples"),
        (["export", "page", "--format", "pylock"], "pages"),
        (["matrix", "pags"], "pages"),
        (["path", "quantize", "--edition", "0.91"], "0.9"),
        (["run", "pagee", "envguard.toml"], "page"),
        (["ci", "key", "quantise"], "quantize"),
    ],
)
def test_a_mistyped_name_suggests_the_near_one(project: Path, arguments: list[str], meant: str) -> None:
    ended = envguard(*arguments, home=project.parent / "home", cwd=project)
    assert (ended.code, f"did you mean {meant!r}?" in ended.err) == (2, True), ended.err


def test_letters_in_another_order_are_nearer_than_other_letters(project: Path) -> None:
    catalog = project / "envguard.toml"
    renamed = catalog.read_text().replace("environments.pages", "environments.new").replace('"pages"', '"new"')
    catalog.write_text(renamed)
    ended = envguard("exec", "nwe", "--", "python", home=project.parent / "home", cwd=project)
    assert "did you mean 'new'?" in ended.err


def test_the_projects_own_environments_come_first(project: Path) -> None:
    listed = envguard("list", home=project.parent / "home", cwd=project).out
    assert listed.startswith("pages: ")
    assert max(map(len, listed.splitlines())) <= 60
    rows = envguard("list", "--json", home=project.parent / "home", cwd=project).document["environments"]
    assert rows[0]["name"] == "pages"


def test_an_option_that_exec_lacks_is_no_command(project: Path) -> None:
    ended = envguard("exec", "pages", "--hree", "--", "python", home=project.parent / "home", cwd=project)
    assert (ended.code, "`exec` has no option '--hree'" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.receipt.json", "There is no receipt missing.receipt.json."),
        (".", ". is a folder, not a receipt."),
        ("envguard.toml", "envguard.toml cannot be read as a receipt."),
        ("other.json", "other.json is no receipt."),
    ],
)
def test_what_is_no_receipt_is_called_that(project: Path, name: str, said: str) -> None:
    (project / "other.json").write_text("{}")
    ended = envguard("verify-receipt", name, home=project.parent / "home", cwd=project)
    assert (ended.code, ended.err.splitlines()[0]) == (2, f"envguard: {said}")


@pytest.mark.parametrize("spelled", ["--version", "-v", "-V"])
def test_every_spelling_prints_the_version(tmp_path: Path, spelled: str) -> None:
    assert envguard(spelled, home=tmp_path).out == envguard("--version", home=tmp_path).out
