"""`envguard probe` as a user sees it: a table to read, a document for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from envguard.cli.diagnosis.probe import probe
from tests.support.command import Ended, envguard


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, with a broken Python first in PATH."""
    broken = tmp_path / "[bold]bin\x1b[31m" / "python3.9"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho oops >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ENVGUARD_HOME", str(tmp_path / "envguard"))
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(probe)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_the_table_says_what_can_be_used_and_why_the_rest_cannot(user: Path) -> None:
    lines = run().stdout.splitlines()
    assert lines[0].split("  ")[0] == "Python"
    assert any(line.startswith("cpython 3.") and line.rstrip().endswith("yes") for line in lines)
    (broken,) = [line for line in lines if "~/[bold]bin" in line]
    assert "It ended with exit code 127 (oops)." in broken
    assert any("interpreters can be used." in line for line in lines)
    assert user.name not in broken


def test_nothing_that_a_file_is_called_reaches_the_terminal_unescaped(user: Path) -> None:
    assert user.is_dir()
    assert "\x1b" not in run().stdout
    assert "bin\\x1b[31m/python3.9" in run().stdout


def test_the_document_has_every_row(user: Path) -> None:
    document = json.loads(run("--json").stdout)
    usable = [row for row in document["interpreters"] if row["usable"]]
    assert usable
    for row in usable:
        assert row["version"].startswith("3.")
        assert row["implementation"] == "cpython"
        assert row["architecture"]
        assert row["found_in"]
        assert Path(row["real_path"]).is_file()
    broken = [row for row in document["broken"] if row["path"].startswith(str(user))]
    assert [row["problem"] for row in broken] == ["exit"]
    assert broken[0]["found_in"] == ["PATH"]


def test_answers_are_kept_in_envguard_s_own_folder(user: Path) -> None:
    first = run("--json").stdout
    assert (user / "envguard/interpreters/interpreters.json").is_file()
    assert run("--json").stdout == first
    assert json.loads(run("--json", "--refresh").stdout) == json.loads(first)


def test_variables_that_no_step_sees_are_named_with_the_reason_and_without_their_values(tmp_path: Path) -> None:
    def shown(*arguments: str) -> Ended:
        return envguard("probe", *arguments, home=tmp_path, PYTHONPATH="/secret/place", CONDA_PREFIX="/secret/conda")

    rows = shown("--json").document["removed_variables"]
    removed = {row["name"]: row["why"] for row in rows}
    assert {"PYTHONPATH", "CONDA_PREFIX"} <= removed.keys()
    assert all(removed.values())
    text = shown().out
    assert "  PYTHONPATH: changes where Python finds" in text
    assert "/secret" not in text + str(rows)
