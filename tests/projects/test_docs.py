"""docs/projects.md is true: its files are written, its commands are run, in order, in a project of their own."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.command import Ended, envguard
from tests.support.projects_page import ADOPTING, OWN, TOOLS, blocks

pytestmark = pytest.mark.network

REQUIREMENTS = "six==1.16.0\n"
PYPROJECT = """
[project]
name = "thing"
version = "1"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.optional-dependencies]
cli = ["iniconfig"]

[dependency-groups]
test = ["packaging"]
"""


def write_files(folder: Path) -> None:
    """Every file that the page shows, under the name that it says."""
    catalog, *_parts = blocks("toml")
    (table,) = blocks("json")
    files = {"envguard.toml": catalog, "table.json": table}
    files |= {block.partition("\n")[0].removeprefix("# "): block for block in blocks("python")}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def commands() -> list[list[str]]:
    """Every command that the page shows, but those of other programs."""
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("envguard ")]


def test_the_page_on_projects_is_true(tmp_path: Path, store_home: Path) -> None:
    write_files(tmp_path)
    ended: dict[str, Ended] = {}
    for command in commands():
        ended[shlex.join(command)] = run = envguard(*command, home=store_home, cwd=tmp_path)
        assert run.code == 0, f"{command}: {run.out}{run.err}"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["table"]["rows"] == 3
    assert report["decoded by"].startswith("6.")
    assert (tmp_path / "page.txt").read_text().startswith("report: yes, {'encode': ")
    assert sorted(path.name for path in tmp_path.rglob("proofs.json")) == ["proofs.json"] * 2
    explained = ended["run report --explain"].out
    assert "encode (old) → decode (new)" in explained
    verified = ended["verify-receipt report.json.receipt.json --rebuild"].out
    assert verified.splitlines()[-1] == "MATCH"
    environments = ended["run report --input table=table.json -o report.json --json"].document["environments"]
    assert {each["name"] for each in environments} == {"old", "new"}
    linked = tmp_path / ".envguard" / "new" / "bin" / "python"  # as the page writes it for editors
    subprocess.run([linked, "-I", "-c", "import google.protobuf"], check=True)


def test_what_it_says_of_tasks_without_outputs_and_of_others_is_true(tmp_path: Path, store_home: Path) -> None:
    write_files(tmp_path)
    (check,) = (each for each in blocks("toml") if "[tasks.check]" in each)
    file = tmp_path / "envguard.toml"
    catalog = file.read_text(encoding="utf-8").replace('["3.11", "3.12", "3.10", "3.13"]', '["3.11"]')
    catalog = catalog.replace('output = "decode:report"', 'output = "decode:report"\ndepends-on = ["check"]')
    file.write_text(f"{catalog}{TOOLS}\n{check}", encoding="utf-8")

    def ended(*command: str) -> Ended:
        return envguard(*command, home=store_home, cwd=tmp_path)

    for command in (["trust"], ["lock"], ["run", "check"], ["run", "report", "table.json", "--matrix"]):
        run = ended(*command)
        assert run.code == 0, f"{command}: {run.out}{run.err}"
    (tmp_path / "steps" / "encode.py").write_text("import os\n", encoding="utf-8")  # imported, and not used
    ended("trust")
    for task in (["check"], ["report", "table.json", "-o", "report.json"]):
        assert ended("run", *task).code == 1
    assert not (tmp_path / "report.json").exists()


def test_what_it_says_of_projects_that_have_something_already_is_true(tmp_path: Path, store_home: Path) -> None:
    *starts, rest = "".join(blocks("console", ADOPTING)).splitlines()
    for number, start in enumerate(starts):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
        (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        for line in [start, *rest.removeprefix("$ ").split(" && ")]:
            command = shlex.split(line.removeprefix("$ "))[1:]
            run = envguard(*command, home=store_home, cwd=folder)
            assert run.code == 0, f"{command}: {run.out}{run.err}"
    assert all((tmp_path / str(number) / "lockfiles").is_dir() for number in range(len(starts)))


def test_what_it_says_of_the_user_s_own_package_is_true(tmp_path: Path, store_home: Path) -> None:
    for block in [each for language in ("toml", "python") for each in blocks(language, OWN)]:
        name, _, content = block.partition("\n")
        path = tmp_path / name.removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for line in "".join(blocks("console", OWN)).splitlines():
        run = envguard(*shlex.split(line.removeprefix("$ "))[1:], home=store_home, cwd=tmp_path)
        assert run.code == 0, f"{line}: {run.out}{run.err}"
    assert (tmp_path / "here.txt").read_text() == (tmp_path / "greeting.txt").read_text() == "Hello\n"


def test_both_protobufs_together_are_refused(tmp_path: Path, store_home: Path) -> None:
    write_files(tmp_path)
    file = tmp_path / "envguard.toml"
    file.write_text(file.read_text().replace('["protobuf<5"]', '["protobuf<5", "protobuf>=6,<7"]'))
    refused = envguard("lock", "old", home=store_home, cwd=tmp_path)
    assert refused.code == 3
    assert "protobuf" in refused.out + refused.err
    assert not (tmp_path / "lockfiles").exists()
