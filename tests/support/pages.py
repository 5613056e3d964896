"""What the pages tell a reader to type: command lines in blocks and in the text, read as a shell would read them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAGES = (
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
    *sorted((CHECKOUT / "examples").rglob("*.md")),
)

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^    (?:\$ )?((?<=\$ ).*|(?:[\w./]*/)?(?:envguard|make) .*)$", re.MULTILINE)
_INLINE = re.compile(r"`((?:\.venv/bin/)?envguard [^`]+)`")
_SHELL = set("();<>|&")


@dataclass(frozen=True)
class Line:
    """One command that a page shows.

    `words` are its program's name and arguments. `whole` is false for what is quoted within a sentence: it may leave
    required arguments out.
    """

    page: str
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def lines(page: Path) -> list[Line]:
    """Every command of a page, in order: first those of its blocks, then those within its sentences."""
    text = page.read_text(encoding="utf-8")
    prose = _FENCED.sub("", text)
    name = page.relative_to(CHECKOUT).as_posix()
    shown = typed_lines(page) + _INDENTED.findall(prose)
    quoted = (each.replace("\\|", "|") for each in _INLINE.findall(" ".join(prose.split())))
    return [Line(name, words, True) for typed in shown for words in _commands(typed)] + [
        Line(name, words, False) for each in quoted for words in _commands(each)
    ]


def typed_lines(page: Path) -> list[str]:
    """What follows the prompt in a page's console blocks, in order, with the lines that a backslash continues."""
    blocks = [block for language, block in _FENCED.findall(page.read_text(encoding="utf-8")) if language == "console"]
    lines_of_blocks = (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [line.removeprefix("$ ") for line in lines_of_blocks if line.startswith("$ ")]


def _commands(typed: str) -> Iterator[tuple[str, ...]]:
    """The commands of one line, without comment, redirections and the variables set before them."""
    reader = shlex.shlex(typed, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    words: list[str] = []
    to_file = False
    for word in [*reader, ";"]:
        if not word or not set(word) <= _SHELL:
            words += [] if to_file else [word]
            to_file = False
        elif set(word) <= set("<>&") and set(word) & set("<>"):
            to_file = True
        elif words:
            while words and re.match(r"\w+=", words[0]):
                del words[0]
            if words:
                yield (Path(words[0]).name, *words[1:])
            words = []
