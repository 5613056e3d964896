"""Folders go in and come out as wholes: known by one hash, handed on read-only, and never put over anybody's files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.errors import BadInput, StepFailed
from envguard.host.interpreters import HostFacts
from envguard.planning import minor_of
from tests.support.command import envguard
from tests.support.projects import shop_of, trusted, write_project
from tests.support.tasks import run_on

TASK = """
    [tasks.work]
    summary = "work"
    output = "build:site"
    [[tasks.work.steps]]
    name = "build"
    environment = "one"
    command = ["python", "build.py", "{input.pages}", "{input.theme}", "{output.site}"]
    inputs = { pages = "task:pages", theme = "file:theme" }
    outputs = { site = "out/site/" }
    [[tasks.work.steps]]
    name = "check"
    environment = "two"
    command = ["python", "look.py", "{input.site}"]
    inputs = { site = "build:site" }
"""
BUILD = """
    import sys
    from pathlib import Path
    pages, theme, site = map(Path, sys.argv[1:])
    for page in pages.rglob("*.md"):
        target = site / page.relative_to(pages).with_suffix(".html")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((theme / "deep" / "head.txt").read_text() + page.read_text())
    (pages / "cache.tmp").write_text("nobody minds")
"""
LOOK = """
    import sys
    from pathlib import Path
    assert (Path(sys.argv[1]) / "deep" / "b.html").read_text() == "head b"
"""
SCRIPTS = {"build.py": BUILD, "look.py": LOOK, "theme/deep/head.txt": "head "}


@pytest.fixture(scope="module")
def python(host: HostFacts) -> str:
    return minor_of(host.usable[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for this file's bare environments."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "my pages"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.md").write_text("a")
    (folder / "deep" / "b.md").write_text("b")
    return folder


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_made_of_folders_and_the_receipt_knows_each_by_its_hash(
    tmp_path: Path, home: Path, python: str, pages: Path
) -> None:
    project = write_project(tmp_path / "project", python, TASK, SCRIPTS)
    done = envguard("run", "work", str(pages), "-o", "site", home=home, cwd=project)
    assert done.code == 0, done.err
    assert content(project / "site") == {"a.html": "head a", "deep/b.html": "head b"}
    assert content(pages) == {"a.md": "a", "deep/b.md": "b"}
    receipt = json.loads((project / "site.receipt.json").read_text())
    inputs = receipt["steps"][0]["inputs"]
    assert [(each["file"], each["folder"]) for name in inputs for each in inputs[name]] == [
        ("my pages", True), ("theme", True)
    ]  # fmt: skip
    assert receipt["outputs"]["output"]["folder"] is True
    compared = envguard(
        "verify-receipt", "site.receipt.json", "--input", str(pages), "--rebuild", home=home, cwd=project
    )
    assert (compared.code, compared.out.splitlines()[-1]) == (0, "MATCH"), compared.out
    (project / "site" / "a.html").write_text("changed")
    assert envguard("verify-receipt", "site.receipt.json", home=home, cwd=project).code == 1


def test_an_output_replaces_what_an_earlier_run_made_and_nothing_else(
    tmp_path: Path, home: Path, python: str, pages: Path
) -> None:
    project = write_project(tmp_path / "project", python, TASK, SCRIPTS)
    line = ("run", "work", str(pages), "-o", "site")
    assert envguard(*line, home=home, cwd=project).code == 0
    (pages / "a.md").unlink()
    assert envguard(*line, home=home, cwd=project).code == 0
    assert content(project / "site") == {"deep/b.html": "head b"}
    (project / "site" / "mine.txt").write_text("mine")
    refused = envguard(*line, home=home, cwd=project)
    assert refused.code == 2
    assert "holds files already" in refused.err
    assert content(project / "site") == {"deep/b.html": "head b", "mine.txt": "mine"}
    assert not [path for path in project.iterdir() if path.name.startswith(".site")]


def test_a_run_that_fails_leaves_no_folder(tmp_path: Path, home: Path, python: str, pages: Path) -> None:
    scripts = {**SCRIPTS, "look.py": "raise SystemExit(1)"}
    shop = shop_of(write_project(tmp_path / "project", python, TASK, scripts), home)
    with pytest.raises(StepFailed, match="'check' ended with exit code 1"):
        run_on(shop.catalog.tasks["work"], {"pages": pages}, tmp_path / "site", shop)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("pass", "is missing"),
        ("Path(sys.argv[3]).mkdir(parents=True)", "is empty"),
        ("Path(sys.argv[3]).parent.mkdir(exist_ok=True); Path(sys.argv[3]).write_text('x')", "is not a folder"),
        ("Path(sys.argv[3]).mkdir(); os.symlink('/etc/passwd', Path(sys.argv[3]) / 'x')", "holds x, which is no file"),
    ],
)
def test_what_is_not_the_folder_that_was_declared_is_refused(
    tmp_path: Path, home: Path, python: str, pages: Path, code: str, said: str
) -> None:
    scripts = {**SCRIPTS, "build.py": f"import os, sys\nfrom pathlib import Path\n{code}\n"}
    shop = shop_of(write_project(tmp_path / "project", python, TASK, scripts), home)
    with pytest.raises(StepFailed, match=said):
        run_on(shop.catalog.tasks["work"], {"pages": pages}, tmp_path / "site", shop)


def test_a_step_that_changes_a_file_of_its_folder_is_named(
    tmp_path: Path, home: Path, python: str, pages: Path
) -> None:
    change = "page = pages / 'a.md'; page.chmod(0o644); page.write_text('x')\n"
    scripts = {**SCRIPTS, "build.py": BUILD + f"    {change}"}
    shop = shop_of(write_project(tmp_path / "project", python, TASK, scripts), home)
    with pytest.raises(StepFailed, match=r"'build' changed its input a\.md"):
        run_on(shop.catalog.tasks["work"], {"pages": pages}, tmp_path / "site", shop)
    assert (pages / "a.md").read_text() == "a"


def test_a_link_out_of_an_input_folder_is_refused(tmp_path: Path, home: Path, python: str, pages: Path) -> None:
    (pages / "etc").symlink_to("/etc")
    shop = shop_of(write_project(tmp_path / "project", python, TASK, SCRIPTS), home)
    with pytest.raises(BadInput, match="holds etc, which is no file of its own"):
        run_on(shop.catalog.tasks["work"], {"pages": pages}, tmp_path / "site", shop)


def test_a_project_asks_again_when_a_file_in_a_folder_of_its_changes(
    tmp_path: Path, home: Path, python: str, pages: Path
) -> None:
    project = trusted(write_project(tmp_path / "project", python, TASK, SCRIPTS))
    (project / "theme" / "deep" / "head.txt").write_text("other")
    refused = envguard("run", "work", str(pages), "-o", "site", home=home, cwd=project)
    assert refused.code == 2
    assert "~ theme/deep/head.txt" in refused.err
