"""The manual page envguard(1), in roff, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from envguard import __version__

ENVIRONMENT = (
    ("ENVGUARD_HOME", "The store of built environments. Default: the user's cache folder."),
    ("ENVGUARD_PROJECT", "The folder of the envguard.toml to use, as --project."),
    ("ENVGUARD_BACKEND", "Where steps run, as --backend."),
    ("NO_COLOR", "Print no escape codes."),
)
EXIT_STATUS = (
    ("0", "Done."),
    ("1", "The verdict is no, or there is none."),
    ("2", "Wrong usage or bad input."),
    ("3", "No environment can be had here."),
    ("130", "Interrupted."),
)


def manual_page(root: Any) -> str:
    """The whole page: every command with its usage, help, arguments and options."""
    parts = [f'.TH ENVGUARD 1 "" "envguard {__version__}" "User Commands"', ".SH NAME"]
    parts += [f"envguard \\- {_text((root.help or '').rstrip('.'))}", ".SH SYNOPSIS", ".B envguard"]
    parts += ["[OPTIONS] COMMAND [ARGS]...", ".SH OPTIONS", *_parameters(root), ".SH COMMANDS"]
    for words, command in _commands([], root):
        context = command.context_class(command, info_name=" ".join(words))
        usage = " ".join([*words, *command.collect_usage_pieces(context)])
        parts += [f'.SS "{_text(" ".join(words))}"', f".B envguard {_text(usage)}", ".PP"]
        parts += [*_paragraphs(command.help or ""), *_parameters(command)]
    for title, rows in (("EXIT STATUS", EXIT_STATUS), ("ENVIRONMENT", ENVIRONMENT)):
        parts += [f'.SH "{title}"', *(line for name, said in rows for line in _entry(name, said))]
    return "\n".join(parts) + "\n"


def _commands(words: Sequence[str], group: Any) -> Iterator[tuple[list[str], Any]]:
    for name, lazy in group.commands.items():
        command = lazy.load()
        yield [*words, name], command
        yield from _commands([*words, name], command) if hasattr(command, "commands") else ()


def _parameters(command: Any) -> Iterator[str]:
    context = command.context_class(command, info_name="envguard")
    for each in command.params:
        record = None if each.hidden else each.get_help_record(context)
        if record:
            yield from _entry(*record)


def _entry(name: str, said: str) -> Iterator[str]:
    yield from (".TP", f".B {_text(name)}", _text(" ".join(said.split())) or "\\&")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.replace("\b", "").split("\n\n"):
        yield from (_text(" ".join(paragraph.split())), ".PP")


def _text(text: str) -> str:
    """Text in which roff sees no request of its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
