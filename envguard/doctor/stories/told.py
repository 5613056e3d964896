"""What a story says, and how to read one by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

STORIES = ("building", "mach_o_loading", "python_range", "shadowing", "shared_libraries", "standard_library")
# What tools draw in front of a tree's lines; it would come between the words of a sentence.
FRAME = " \t│╰├─▶×|"
_PREFIX = re.compile(
    r"^(?:#\d{1,4} (?:\d{1,6}\.\d{1,3} )?|\d{1,6}\.\d{1,3} |\[?\d{4}-\d\d-\d\d[T ][\d:.,]{5,18}Z?\]? "
    r"|[\w.-]{1,40} +\| |E {3,}|> )"
)
"""What Docker's builds, compose, CI services, pytest and mail put before each line."""


@dataclass(frozen=True, slots=True)
class Told:
    """Which kind of its failure a story tells, and the names in it; `row` is the row that shows it."""

    kind: str
    row: int
    values: Mapping[str, str]


def read_story(name: str, rows: Sequence[str], index: int) -> Told | None:
    """What the story of that name reads in the rows around `index`; None if it is another one."""
    module = import_module(f"envguard.doctor.stories.{name}")  # Only a log that has its words pays for its patterns.
    return cast("Told | None", module.read(rows, index))


def sentence(rows: Sequence[str], index: int, most: int) -> str:
    """The row and those after it as one line, without frames and without what was put before each."""
    return " ".join(without_frame(row) for row in rows[index : index + most])


def without_frame(row: str) -> str:
    """A row without indentation, a tree's lines, and what was put before each line."""
    return without_prefix(row).strip(FRAME)


def without_prefix(row: str) -> str:
    """A row as the tool printed it."""
    return _PREFIX.sub("", row)
