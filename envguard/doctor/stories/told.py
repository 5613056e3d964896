"""What a story says, and how to read one by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

STORIES = ("building", "mach_o_loading", "python_range", "shadowing", "shared_libraries")
# What tools draw in front of a tree's lines; it would come between the words of a sentence.
FRAME = " \t│╰├─▶×|"
DOCKER_STEP = re.compile(r"^#\d{1,4} \d{1,6}\.\d{1,3} ")


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
    """The row and those after it as one line, without frames and without what Docker puts before each."""
    return " ".join(without_frame(row) for row in rows[index : index + most])


def without_frame(row: str) -> str:
    """A row without indentation, a tree's lines, and the number and time of a step of Docker's."""
    return DOCKER_STEP.sub("", row).strip(FRAME)
