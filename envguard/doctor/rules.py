"""The rules that lead from a tool's words to cause and cure, read from `rules.toml`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from envguard.doctor.commands import PYTHON, names_in
from envguard.doctor.stories.told import STORIES
from envguard.errors import BrokenData
from envguard.table_reader import TableReader, boolean, integer, list_of, match, text
from envguard.toml import parse_toml

SCHEMA = 1
BUILTIN = Path(__file__).with_name("rules.toml")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
STORY = re.compile(rf"(?:{'|'.join(STORIES)})\.[a-z_]+")
ISSUE = re.compile(r"[\w.-]+/[\w.-]+#[0-9]+")
LONGEST_PATTERN = 500
NOT_NAMED = "-"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a tool prints, why, and how to fix it.

    `pattern` is searched only in lines that contain one of the `literals`; `cause` and `cure` may name its groups as
    `{name}`. In place of a pattern, a `story` (its name) reads such a line and those around it, and the rule is for one
    `kind` of what it tells. `commands` are what the cure comes to where it can be typed, line by line, in one shell;
    they may also name `{python}`, the Python that the log tells of. `reproduced` says that the text was produced on a
    real machine; `upstream` is the issue (`owner/repo#number`) where it is reported, empty if there is none. `rank` is
    the rule's place: the rules nearest to a cause come first.
    """

    identifier: str
    rank: int
    applies_to: tuple[str, ...]
    literals: tuple[str, ...]
    pattern: str
    story: str
    kind: str
    cause: str
    cure: str
    commands: tuple[str, ...]
    reproduced: bool
    upstream: str

    @property
    def source(self) -> str:
        """Where the rule comes from: "measured" or "collected", with the upstream issue if there is one."""
        how = "measured" if self.reproduced else "collected"
        return f"{how}, {self.upstream}" if self.upstream else how


@cache
def builtin_rules() -> tuple[Rule, ...]:
    """The rules that envguard ships, in order of rank."""
    return read_rules(BUILTIN.read_text(encoding="utf-8"), source=BUILTIN.name)


def read_rules(document: str, *, source: str) -> tuple[Rule, ...]:
    """Read rules from TOML; raises BrokenData that names `source` and the key.

    Patterns are compiled only if a line needs it: compiling a hundred takes 30 ms.
    """
    try:
        values = parse_toml(document)
    except ValueError as error:
        raise BrokenData(f"The rules in {source} cannot be read.", why=str(error), next_step="Correct them.") from error
    table = TableReader(values, source)
    if table.take("schema", integer) != SCHEMA:
        table.refuse("schema", f"must be {SCHEMA}, the schema that this envguard reads")
    ranks = itertools.count()
    rules = table.each("rules", lambda each: _rule(each, next(ranks)))
    table.done()
    seen: set[str] = set()
    for rule in rules:
        if rule.identifier in seen:
            table.refuse("rules", f"has {rule.identifier!r} twice")
        seen.add(rule.identifier)
    return rules


def _rule(table: TableReader, rank: int) -> Rule:
    story, _, kind = table.take("story", match(STORY, "a story and a kind of it: STORY.KIND"), "").partition(".")
    pattern = "" if story else table.take("pattern", _pattern)
    groups = None if story else set(re.findall(r"\(\?P<(\w+)>", pattern))
    rule = Rule(
        identifier=table.take("id", match(IDENTIFIER, "an identifier: lower-case letters, digits and '_'")),
        rank=rank,
        applies_to=table.take("applies_to", list_of(text, least=1)),
        literals=table.take("literals", list_of(text, least=1)),
        pattern=pattern,
        story=story,
        kind=kind,
        cause=table.take("cause", _sentence(groups)),
        cure=table.take("cure", _sentence(groups)),
        commands=table.take("commands", list_of(_sentence(None if groups is None else {*groups, PYTHON}), least=1), ()),
        reproduced=table.take("reproduced", boolean),
        upstream=table.take("upstream", match(ISSUE, "an issue such as owner/repo#12"), NOT_NAMED).strip(NOT_NAMED),
    )
    if not rule.reproduced and not rule.upstream:
        table.refuse("upstream", "must name the issue of a failure that was not reproduced")
    return rule


def _pattern(value: object) -> str:
    pattern = text(value)
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"must have at most {LONGEST_PATTERN} characters")
    return pattern


def _sentence(groups: set[str] | None) -> Callable[[object], str]:
    """A reader of texts whose placeholders are groups of the pattern; those of a story are known when it is told."""

    def read(value: object) -> str:
        sentence = text(value)
        for name in names_in(sentence):
            if groups is not None and name not in groups:
                raise ValueError(f"names {name!r}, which is not a group of the pattern")
        return sentence

    return read
