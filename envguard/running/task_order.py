"""What a run is asked for: a task, the user's files, the options, and where outputs and reports go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envguard.catalog.model import Task

Overrides = Mapping[str, Mapping[str, object]]
Sources = Mapping[str, Sequence[Path]]
Alone = Callable[[], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """A task to run on files of the user's.

    `sources` are files by the task's names for its inputs: one each, and of an optional input as many as there are.
    `target` is the output's path, or where the task has several outputs the folder that they are put into; without one
    nobody gets them, and what the steps say is all. `options` by step name are laid over those of the catalog.
    `reports` says where each report that is asked for goes, and `receipt` where the receipt is going to lie.
    With `allow_unverified` there are outputs even where a gate could not be judged. `replaceable` are the hashes of
    folders that an earlier run made, whose place an output may take. At most so many steps (`jobs`) run at the
    same time; None stands for the number of processors. With `fresh`, no step is taken from the store.
    `drivers` identify those of this host that a step uses, by step; an empty text stands for unknown ones.
    """

    task: Task
    sources: Sources
    target: Path | None = None
    options: Overrides = field(default_factory=dict)
    reports: Mapping[str, Path] = field(default_factory=dict)
    receipt: Path | None = None
    allow_unverified: bool = False
    replaceable: frozenset[str] = frozenset()
    jobs: int | None = None
    fresh: bool = False
    drivers: Mapping[str, str] = field(default_factory=dict)
