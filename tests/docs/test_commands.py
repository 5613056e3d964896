"""Whatever a page tells a reader to type is a command that there is, with options that it has."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from envguard.cli.app import root
from envguard.cli.guide.manual import manual_page
from envguard.commands import COMMANDS
from envguard.errors import BadInput
from tests.support.commands_page import MANUAL, PAGE, commands_page
from tests.support.pages import CHECKOUT, PAGES, Line, lines

SHOWN = [line for page in PAGES for line in lines(page)]
MISSING = re.compile(r"\bMissing\b")
ROOT: Any = root(COMMANDS)


def complaint(arguments: list[str]) -> str:
    """What the real command line says against these arguments; nothing if it would start."""
    command, context = ROOT, None
    try:
        while True:
            context = command.make_context(command.name or "envguard", arguments, parent=context)
            command = context.command
            rest = [*getattr(context, "_protected_args", []), *context.args]
            if not hasattr(command, "commands"):
                return ""
            if not rest:
                return "Missing command."
            _, command, arguments = command.resolve_command(context, rest)
    except typer.Exit:
        return ""
    except TyperException as error:
        return error.format_message()
    except BadInput as error:
        return error.what


def is_of_project(line: Line) -> bool:
    """Whether it runs a task that only the page's own project has; those pages are run by tests of their own."""
    return line.words[1:2] == ("run",) and (line.page == "docs/projects.md" or line.page.startswith("examples/"))


@pytest.mark.parametrize("line", [each for each in SHOWN if each.words[0] == "envguard"], ids=str)
def test_the_command_line_takes_what_the_page_says(line: Line) -> None:
    if is_of_project(line):
        return
    # An ellipsis stands for a value, or for the rest of the line.
    readings = {line.words[1:], tuple(word for word in line.words[1:] if word != "…")}
    said = [complaint(list(each)) for each in readings]
    assert any(not each or (not line.whole and MISSING.search(each)) for each in said), said


@pytest.mark.parametrize("line", [each for each in SHOWN if each.words[0] == "make"], ids=str)
def test_the_makefile_has_the_target_that_the_page_names(line: Line) -> None:
    targets = re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert line.words[1] in targets


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["run", "quantise", "model.task"], "quantise"),
        (["run", "quantize", "model.task", "--golf", "size"], "--golf"),
        (["run", "quantize", "model.task", "--goal", "beauty"], "beauty"),
        (["export", "quantize"], "--format"),
        (["lokc"], "lokc"),
    ],
)
def test_a_command_that_is_not_there_is_noticed(typed: list[str], said: str) -> None:
    assert said in complaint(typed)


def test_a_line_is_read_as_a_shell_reads_it() -> None:
    page = CHECKOUT / "docs" / "doctor.md"
    assert ("envguard", "explain") in {line.words for line in lines(page) if line.whole}
    story = {line.words for line in lines(CHECKOUT / "CONTRIBUTING.md")}
    assert ("envguard", "matrix", "quantize", "verify", "--story") in story


def test_every_page_with_commands_is_read() -> None:
    assert {"README.md", "docs/containers.md", "docs/doctor.md", "docs/tutorial.md"} <= {line.page for line in SHOWN}


def test_the_reference_is_what_the_commands_say_of_themselves() -> None:
    assert PAGE.read_text(encoding="utf-8") == commands_page(), "run `make docs` to regenerate it"
    assert MANUAL.read_text(encoding="utf-8") == manual_page(root(COMMANDS)), "run `make docs` to regenerate it"
