"""Turn a log into hints: which rules match, where, and in which order they are worth reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from envguard.doctor.commands import filled
from envguard.doctor.conflicts import Conflict, read_conflict
from envguard.doctor.log import Block, blocks
from envguard.doctor.rules import Rule, builtin_rules
from envguard.doctor.stories.told import read_story, without_frame, without_prefix

SCHEMA = 1
JOINED_LINES = 3
MOST_TRIES = 5000
"""Per rule: if a log repeats a literal in every line, only the first few thousand are tried."""
MOST_STORIES = 200
LONGEST_EVIDENCE = 300

_HARMLESS = re.compile(
    r"^(\S+ \S+: )?[IW] (tensorflow|external)/|^[IW]\d{4} [\d:.]+ |Could not load dynamic library|dlerror: "
)
"""What TensorFlow and MediaPipe say while they look for a GPU; without one they go on."""
_OVERCOME = ("WARNING: Retrying (", "WARNING: Ignoring version ")
"""What pip warns of and then does otherwise."""
_RECOVERED = ("Successfully installed ", "Successfully downloaded ")


@dataclass(frozen=True, slots=True)
class Hint:
    """A rule that a log matches: cause, cure and its commands with the log's own names, and the matching line."""

    rule: Rule
    cause: str
    cure: str
    commands: tuple[str, ...]
    line: int
    text: str

    def as_json(self) -> dict[str, object]:
        """The hint for `--json`."""
        return {
            "rule": self.rule.identifier,
            "cause": self.cause,
            "cure": self.cure,
            "commands": list(self.commands),
            "evidence": {"line": self.line, "text": self.text},
            "reproduced": self.rule.reproduced,
            "source": self.rule.source,
            "applies_to": list(self.rule.applies_to),
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known about a log: hints, nearest to the cause first, and the resolver's conflict if there is one.

    `lines` is how many lines the log has; `cut` tells that those in its middle were not read.
    """

    hints: tuple[Hint, ...]
    conflict: Conflict | None
    lines: int
    cut: bool

    def as_json(self) -> dict[str, object]:
        """The diagnosis for `--json`."""
        return {
            "schema": SCHEMA,
            "hints": [hint.as_json() for hint in self.hints],
            "conflict": self.conflict and self.conflict.as_json(),
            "lines": self.lines,
            "cut": self.cut,
        }


def diagnose(stream: BinaryIO, rules: Sequence[Rule] | None = None) -> Diagnosis:
    """Read a log once and return what is known about it."""
    waiting = list(builtin_rules() if rules is None else rules)
    tries: dict[str, int] = {}
    hints: list[Hint] = []
    conflict: Conflict | None = None
    lines, recovered, cut = 0, 0, False
    for block in blocks(stream):
        lines, cut = max((lines, *block.numbers[-1:])), block.cut
        said = "\n".join(dict.fromkeys(block.rows))  # Long logs repeat themselves, and every rule looks through them.
        found = [hint for rule in waiting if (hint := _first_match(rule, block, said, tries))]
        matched = {hint.rule.identifier for hint in found}
        waiting = [rule for rule in waiting if rule.identifier not in matched]
        hints += found
        recovered = max((recovered, *_recovered(block)))
        conflict = conflict or read_conflict(block.rows)
    hints = [hint for hint in hints if not (hint.text.startswith(_OVERCOME) and hint.line < recovered)]
    return Diagnosis(tuple(sorted(hints, key=lambda hint: hint.rule.rank)), conflict, lines, cut)


def _recovered(block: Block) -> Iterator[int]:
    """The lines in which pip tells that it succeeded: what it warned of before is history."""
    if any(word in block.text for word in _RECOVERED):
        yield from (number for number, row in zip(block.numbers, block.rows, strict=True) if row.startswith(_RECOVERED))


def _first_match(rule: Rule, block: Block, said: str, tries: dict[str, int]) -> Hint | None:
    literals = [literal for literal in rule.literals if literal in said]
    if not literals:
        return None
    positions = [index for index, line in enumerate(block.rows) if any(literal in line for literal in literals)]
    if rule.story:
        return _told_at(rule, block, positions, tries)
    return _match_at(rule, block, positions, tries)


def _told_at(rule: Rule, block: Block, positions: Sequence[int], tries: dict[str, int]) -> Hint | None:
    for index in positions:
        tries[rule.identifier] = tries.get(rule.identifier, 0) + 1
        if tries[rule.identifier] > MOST_STORIES:
            return None
        told = read_story(rule.story, block.rows, index)
        if told is not None and told.kind == rule.kind and not _HARMLESS.search(block.rows[told.row]):
            return Hint(
                rule,
                rule.cause.format_map(told.values),
                rule.cure.format_map(told.values),
                filled(rule.commands, told.values, block.rows, told.row, JOINED_LINES),
                block.numbers[told.row],
                _evidence(block.rows[told.row], 0),
            )
    return None


def _match_at(rule: Rule, block: Block, positions: Sequence[int], tries: dict[str, int]) -> Hint | None:
    pattern = re.compile(rule.pattern)
    for index in positions:
        if _HARMLESS.search(block.rows[index]):
            continue
        tries[rule.identifier] = tries.get(rule.identifier, 0) + 1
        if tries[rule.identifier] > MOST_TRIES:
            return None
        found = pattern.search(_joined(block.rows, index))
        if found is not None and found.start() <= len(without_prefix(block.rows[index])):
            values = {name: value or "" for name, value in found.groupdict().items()}
            return Hint(
                rule,
                rule.cause.format_map(values),
                rule.cure.format_map(values),
                filled(rule.commands, values, block.rows, index, JOINED_LINES),
                block.numbers[index],
                _evidence(block.rows[index], found.start()),
            )
    return None


def _evidence(row: str, start: int) -> str:
    """The line, or of a long one the part in which the match starts."""
    begin = 0 if start < LONGEST_EVIDENCE * 2 // 3 else start - LONGEST_EVIDENCE // 3
    return row[begin:].strip()[:LONGEST_EVIDENCE]


def _joined(lines: Sequence[str], index: int) -> str:
    """A line and the next two, without what a tree or a narrow terminal put between the words."""
    return " ".join(_words(lines, index))


def _words(lines: Sequence[str], index: int) -> Iterator[str]:
    yield without_prefix(lines[index]).rstrip()
    yield from map(without_frame, lines[index + 1 : index + JOINED_LINES])
