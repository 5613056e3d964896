"""Add an edition to a catalog's text, of which every other character stays: comments, order, spacing.

What was written is read again, and compared with what was meant; a file whose editions are not tables of their own is
refused, never guessed at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from envguard.errors import BadInput
from envguard.toml import parse_toml

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
LONGEST_LINE = 120
Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewEdition:
    """An edition to be written beside another one of its environment, before or after it.

    `values` are its keys as in the file: texts, truths, lists of texts, and tables of these. `comment` is one line.
    """

    environment: str
    name: str
    values: Mapping[str, object]
    comment: str
    beside: str
    before: bool


def written_edition(text: str, environment: str, edition: str) -> dict[str, object]:
    """What a catalog's text says of an edition; raises BadInput if it has no place for another one beside it."""
    _span(text.split("\n"), _place(environment, edition))
    return dict(_editions(parse_toml(text), environment)[edition])


def editions_in(text: str, environment: str) -> list[str]:
    """The names of an environment's editions, in their order."""
    return list(_editions(parse_toml(text), environment))


def with_edition(text: str, new: NewEdition) -> str:
    """The text with the edition in it; raises BadInput if it has no place for it."""
    lines = text.split("\n")
    end_of_line = "\r" if lines[0].endswith("\r") else ""
    first, last = _span(lines, _place(new.environment, new.beside))
    block = [f"# {new.comment}", *_table(_place(new.environment, new.name), new.values)]
    if new.before:
        where, block = _above_comments(lines, first), [*block, ""]
    else:
        where, block = last, ["", *block]
        if where == len(lines):  # the last line has no end
            lines[-1] += end_of_line
            block.append("")
    written = "\n".join([*lines[:where], *(line + end_of_line for line in block), *lines[where:]])
    if not _is_meant(text, written, new):
        raise _refusal(_place(new.environment, new.beside))
    return written


def _is_meant(before: str, after: str, new: NewEdition) -> bool:
    """Whether the new text says what the old one said, and the new edition at its place."""
    try:
        expected, found = parse_toml(before), parse_toml(after)
    except ValueError:
        return False
    editions = _editions(expected, new.environment)
    names = list(editions)
    names.insert(names.index(new.beside) + (not new.before), new.name)
    editions[new.name] = dict(new.values)
    return found == expected and list(_editions(found, new.environment)) == names


def _editions(document: Mapping[str, object], environment: str) -> dict[str, dict[str, object]]:
    environments = cast("dict[str, dict[str, dict[str, dict[str, object]]]]", document["environments"])
    return environments[environment]["editions"]


def _place(environment: str, edition: str) -> Keys:
    return ("environments", environment, "editions", edition)


def _span(lines: Sequence[str], place: Keys) -> tuple[int, int]:
    """The lines of a table and its inner tables: from its head to behind its last line that is not empty."""
    heads = list(_heads(lines))
    first = next((number for number, keys in heads if keys == place), None)
    if first is None:
        raise _refusal(place)
    after = [number for number, keys in heads if number > first and keys[: len(place)] != place]
    last = _above_comments(lines, after[0]) if after else len(lines)
    while last > first + 1 and not lines[last - 1].strip():
        last -= 1
    return first, last


def _above_comments(lines: Sequence[str], number: int) -> int:
    """The line of the comment that stands directly above a table's head; that of the head if there is none."""
    while number > 0 and lines[number - 1].lstrip().startswith("#"):
        number -= 1
    return number


def _heads(lines: Sequence[str]) -> Iterator[tuple[int, Keys]]:
    """The line of each table's head, and its keys.

    A line within a text or a list of several lines may look like one: then what stands before it is no document.
    """
    begun = 0
    for number, line in enumerate(lines):
        keys = _keys_of(line) if line.lstrip().startswith("[") else ()
        if keys and _parses("\n".join(lines[begun:number])):
            yield number, keys
            begun = number


def _keys_of(line: str) -> Keys:
    """The keys of a table's head; none if the line cannot be one."""
    try:
        value: object = parse_toml(line.rstrip("\r"))
    except ValueError:
        return ()
    keys: list[str] = []
    while value:
        if isinstance(value, list):
            value = value[0]
        elif isinstance(value, dict):
            ((key, value),) = value.items()
            keys.append(key)
    return tuple(keys)


def _parses(text: str) -> bool:
    try:
        parse_toml(text + "\n")
    except ValueError:
        return False
    return True


def _table(place: Keys, values: Mapping[str, object]) -> Iterator[str]:
    """A table with its head, and below it the tables within it."""
    yield f"[{'.'.join(map(_key, place))}]"
    for key, value in values.items():
        if not isinstance(value, dict):
            yield from _assignment(key, value)
    for key, value in values.items():
        if isinstance(value, dict):
            yield ""
            yield from _table((*place, key), value)


def _assignment(key: str, value: object) -> Iterator[str]:
    line = f"{_key(key)} = {_inline(value)}"
    if isinstance(value, list) and value and len(line) > LONGEST_LINE:
        yield f"{_key(key)} = ["
        yield from (f"  {_inline(each)}," for each in value)
        yield "]"
    else:
        yield line


def _inline(value: object) -> str:
    """A value on one line; JSON writes these as TOML does."""
    return json.dumps(value, ensure_ascii=False)


def _key(text: str) -> str:
    return text if BARE_KEY.fullmatch(text) else _inline(text)


def _refusal(place: Keys) -> BadInput:
    *_, edition = place
    return BadInput(
        f"No edition can be added to the catalog beside {place[1]} {edition}.",
        why=f"that edition is not written as a table of its own: [{'.'.join(map(_key, place))}]",
        next_step="Write it so, or add the edition yourself and run `envguard lock` and `envguard prove`.",
    )
