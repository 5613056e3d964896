"""docs/commands.md and man/envguard.1, written from the commands themselves: `make docs` makes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envguard import errors
from envguard.cli.app import root
from envguard.cli.guide.manual import manual_page
from envguard.commands import COMMANDS

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
MANUAL = PAGE.parents[1] / "man" / "envguard.1"

HEAD = """# Commands

Generated from the code by `make docs`; `--help` prints the same for each command. Arguments in `{}` are required, those
in `[]` are optional, and `...` means that an argument can be repeated. `man envguard` shows them as a manual page where
the programs of an installed envguard are on PATH, `envguard help --man | man -l -` does everywhere. The option
`--install-completion` makes bash, zsh and fish complete commands, environments, editions and tasks.

What `--json` prints is one document, errors too, with a `schema`: a number that changes when a name in that
document goes or means something else.
"""

DATA = """## Files

Each has a JSON Schema.

| file | what it is | format |
|---|---|---|
| `envguard.toml` | what a [project](projects.md) defines | [catalog.schema.json](catalog.schema.json) |
| `OUT.receipt.json` | how [an output](projects.md#receipts) was made | [receipt.schema.json](receipt.schema.json) |
| what the model commands print with `--json` | what [a run](reports.md) found | [run.schema.json](run.schema.json) |
"""


def commands_page() -> str:
    """The whole page in Markdown: each command with its help, arguments and options, then the exit codes."""
    sections = (_section(words, command) for words, command in _commands(["envguard"], root(COMMANDS)))
    return "\n".join([HEAD, *sections, _exit_codes(), DATA])


def _commands(words: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    yield words, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands([*words, name], child.load())


def _section(words: list[str], command: Any) -> str:
    context = command.context_class(command, info_name=" ".join(words))
    usage = " ".join([*words, *command.collect_usage_pieces(context)])
    lines = [f"## {' '.join(words)}", "", "```text", usage, "```", "", _prose(command.help or ""), ""]
    children = [
        f"| [{name}](#{'-'.join([*words, name])}) | {_cell(_first_sentence(child.help or ''))} |"
        for name, child in getattr(command, "commands", {}).items()
    ]
    lines += _table("command", children)
    lines += _table("argument", [_row(each.make_metavar(context), each) for each in _of_kind(command, "argument")])
    lines += _table("option", [_row(_spelled(each), each) for each in _of_kind(command, "option")])
    return "\n".join(lines)


def _of_kind(command: Any, kind: str) -> list[Any]:
    return [each for each in command.params if each.param_type_name == kind and not each.hidden]


def _spelled(option: Any) -> str:
    """An option with what it takes, such as `--output, -o PATH`."""
    names = ", ".join(option.opts)
    if option.secondary_opts:
        names += " / " + ", ".join(option.secondary_opts)
    if option.is_flag:
        return names
    choices = getattr(option.type, "choices", None)
    takes = option.metavar or ("|".join(map(_value, choices)) if choices else option.type.name.upper())
    return f"{names} {takes}"


def _row(spelled: str, parameter: Any) -> str:
    said = [getattr(parameter, "help", None) or ""]
    if parameter.required:
        said.append("Required.")
    elif parameter.default not in (None, False, True) and "default" not in said[0].casefold():
        said.append(f"Default: `{_value(parameter.default)}`.")
    if getattr(parameter, "multiple", False) and "can be given" not in said[0]:
        said.append("Can be given several times.")
    return f"| `{_cell(spelled)}` | {_cell(' '.join(filter(None, said)))} |"


def _value(value: Any) -> str:
    return str(getattr(value, "value", value))


def _table(what: str, rows: list[str]) -> list[str]:
    return [f"| {what} | |", "|---|---|", *rows, ""] if rows else []


def _cell(text: str) -> str:
    return _prose(text).replace("\n", " ").replace("|", "\\|")


def _prose(text: str) -> str:
    """A help text as Markdown: what stands for something else must not look like HTML."""
    return re.sub(r"<(?=\w)", "&lt;", text.replace("\b", "")).strip()


def _first_sentence(text: str) -> str:
    return text.partition("\n\n")[0]


def _exit_codes() -> str:
    meanings: dict[int, list[str]] = {0: ["Done."]}
    # Not the subclasses of other modules: which there are depends on what was imported before.
    kinds = [each for each in errors.EnvguardError.__subclasses__() if each.__module__ == errors.__name__]
    for kind in sorted(kinds, key=lambda each: each.exit_code):
        said = (kind.__doc__ or "").partition("\n")[0]
        meanings.setdefault(kind.exit_code, []).append(re.sub(r" \(exit code \d+\)", "", said))
    meanings[1].insert(0, "The verdict is no: nothing was written.")
    rows = [f"| {code} | {_cell(' '.join(said))} |" for code, said in sorted(meanings.items())]
    more = "`envguard exec` and `envguard shell` end with the exit code of the command that they ran."
    return "\n".join(["## Exit codes", "", "| code | meaning |", "|---|---|", *rows, "", more, ""])


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
    MANUAL.write_text(manual_page(root(COMMANDS)), encoding="utf-8")
