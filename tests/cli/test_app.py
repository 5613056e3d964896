"""Commands load when they are used, are told of before, and only their own `--json` makes an error JSON."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pytest

from envguard.cli.app import Command, Group
from envguard.commands import COMMANDS
from tests.support.command import envguard


def entries(commands: Mapping[str, Command | Group]) -> Iterator[Command]:
    for entry in commands.values():
        if isinstance(entry, Group):
            yield from entries(entry.commands)
        else:
            yield entry


@pytest.mark.parametrize("entry", [*entries(COMMANDS)], ids=lambda entry: entry.target)
def test_the_overview_says_what_the_command_says_of_itself(entry: Command) -> None:
    module, _, name = entry.target.partition(":")
    first_paragraph = (inspect.getdoc(getattr(import_module(module), name)) or "").partition("\n\n")[0]
    assert entry.summary == " ".join(first_paragraph.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["store", "--help"], ["image"], ["no-such-command"]])
def test_no_command_is_imported_before_it_is_used(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom envguard.cli.app import run\nfrom envguard.commands import COMMANDS\n"
        f"run({arguments!r}, COMMANDS)\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())
    assert "envguard.cli.app" in loaded
    assert not loaded & {"envguard.catalog", *(entry.target.partition(":")[0] for entry in entries(COMMANDS))}


@pytest.mark.parametrize(
    "arguments",
    [
        ["exec", "nothing", "--", "tool", "--json"],
        ["exec", "nothing", "tool", "--json"],
        ["exec", "--edition", "9", "nothing", "--", "tool", "--json"],
        ["exec", "--json"],
        ["exec", "--", "--json"],
        ["lock", "--", "--json"],
        ["no-such-command", "--", "--json"],
        ["--no-such-option", "exec", "nothing", "--", "tool", "--json"],
    ],
)
def test_the_json_of_another_tool_is_not_ours(tmp_path: Path, arguments: list[str]) -> None:
    ended = envguard(*arguments, home=tmp_path, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("envguard: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["lock", "nothing", "--json"],
        ["list", "--json", "--no-such-option"],
        ["run", "quantize", "--json"],
        ["run", "no-such-task", "--json"],
        ["run", "quantize", "none.task", "--json", "--goal", "beauty"],
        ["store", "gc", "--json"],
        ["no-such-command", "--json"],
        ["--json", "list"],
    ],
)
def test_an_error_is_json_wherever_the_command_was_asked_for_json(tmp_path: Path, arguments: list[str]) -> None:
    ended = envguard(*arguments, home=tmp_path, cwd=tmp_path)
    assert ended.code == 2
    assert json.loads(ended.out)["exit_code"] == 2


def test_an_output_that_is_called_json_does_not_ask_for_json(tmp_path: Path) -> None:
    assert envguard("run", "quantize", "none.task", "-o", "--json", home=tmp_path, cwd=tmp_path).out == ""
