"""Help, the manual page and what shells complete, which reads catalogs and runs nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envguard.cli.app import Command, as_command, imported
from envguard.commands import COMMANDS
from tests.support.command import envguard


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that nobody has trusted, whose check would leave a file."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "envguard.toml").write_text(
        'schema = 1\n[environments.paper]\nsummary = "x"\npythons = ["3.11"]\n'
        'check = { command = ["python", "-c", "open(\'ran\', \'w\')"] }\n'
        "[environments.paper.editions.7]\nrequirements = []\n[environments.paper.editions.8]\nrequirements = []\n"
        '[tasks.publish]\nsummary = "x"\noutput = "do:out"\n[[tasks.publish.steps]]\nname = "do"\n'
        'environment = "paper"\ncommand = ["python", "-c", "1"]\noutputs = { out = "out" }\n'
    )
    return folder


def completed(line: str, shell: str, folder: Path) -> list[str]:
    """What that shell would offer for a line, whose last word is not finished."""
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    said = envguard(home=folder / "no-store", cwd=folder, _ENVGUARD_COMPLETE=f"complete_{shell}", **asked)
    if shell == "zsh":
        return re.findall(r'^(?:_arguments .*?)?"([^"]+)"', said.out, re.MULTILINE)
    return [word.partition("\t")[0] for word in said.out.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("envguard exec pap", ["paper"]),
        ("envguard create paper sam", ["samples"]),
        ("envguard path paper --edition ", ["7", "8"]),
        ("envguard path --edition 7 pap", ["paper"]),
        ("envguard path paper --fro", ["--frozen"]),
        ("envguard run pub", ["publish"]),
        ("envguard ci key pub", ["publish"]),
        ("envguard run publish --edition paper=", ["paper=7", "paper=8"]),
    ],
)
def test_names_of_an_untrusted_project_are_completed(project: Path, shell: str, line: str, offered: list[str]) -> None:
    assert completed(line, shell, project) == offered
    assert sorted(path.name for path in project.iterdir()) == ["envguard.toml"]


def test_what_stands_in_for_a_command_takes_what_it_takes() -> None:
    for name, entry in COMMANDS.items():
        if isinstance(entry, Command):
            real: Any = as_command(name, imported(entry.target))
            context = real.make_context(name, [], resilient_parsing=True)
            arguments = [each for each in real.params if each.param_type_name == "argument"]
            several = [each.nargs < 0 for each in arguments if each.shell_complete(context, "quantiz")]
            assert several == {"": [], "environment": [False], "environments": [True]}[entry.takes], name


def test_a_name_is_completed_without_what_only_a_run_needs(project: Path) -> None:
    code = "import sys, envguard.__main__ as e; sys.argv[1:] = []; e.main()"
    asked = {"COMP_WORDS": "envguard exec pap", "COMP_CWORD": "2", "_ENVGUARD_COMPLETE": "complete_bash"}
    command = [sys.executable, "-I", "-X", "importtime", "-c", code]
    said = subprocess.run(command, cwd=project, env={**os.environ, **asked}, capture_output=True, text=True)
    assert said.stdout.split() == ["paper"]
    imported = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert "envguard.catalog.projects" in imported
    assert not {each for each in imported if each.startswith(("envguard.running.environments", "envguard.planning"))}


def test_help_of_a_command_is_what_its_option_prints(tmp_path: Path) -> None:
    for words in (["exec"], ["store", "list"], []):
        assert envguard("help", *words, home=tmp_path).out == envguard(*words, "--help", home=tmp_path).out
    unknown = envguard("help", "lsit", home=tmp_path)
    assert (unknown.code, "'list'" in unknown.err) == (2, True)


def test_the_manual_page_has_every_command(tmp_path: Path) -> None:
    page = envguard("help", "--man", home=tmp_path).out
    assert all(f'.SS "{name}' in page.replace("\\-", "-") for name in COMMANDS)


@pytest.mark.skipif(not shutil.which("groff"), reason="only groff can say whether roff is good")
def test_the_manual_page_is_good_roff(tmp_path: Path) -> None:
    page = envguard("help", "--man", home=tmp_path).out
    groff = subprocess.run(
        ["groff", "-man", "-Kutf8", "-Tutf8", "-ww"], input=page, capture_output=True, text=True, check=True
    )
    assert groff.stderr == ""
    assert "NAME" in groff.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there, PowerShell alone")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_the_shell_can_be_had(tmp_path: Path, shell: str) -> None:
    said = envguard(home=tmp_path, _ENVGUARD_COMPLETE=f"source_{shell}")
    assert "_ENVGUARD_COMPLETE" in said.out
