"""What the inputs and outputs of steps refer to."""

from __future__ import annotations

from dataclasses import dataclass, field

TASK, SAMPLE, FILE, RUN = "task", "sample", "file", "run"
SOURCES = (TASK, SAMPLE, FILE, RUN)
"""Sources of files that are not steps; no step may have one of these names."""


@dataclass(frozen=True)
class Reference:
    """Files by where they come from.

    `source` is `task` (files that the user named), `sample` (a sample's files), `file` (a file of the catalog's
    folder), `run` (what is known of the run itself: `run:document`), or the name of the step that made them; `name`
    says which. Where it is `optional`, there may be no such file, and the step does without.
    """

    source: str
    name: str
    optional: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read `SOURCE:NAME`, or `SOURCE:NAME?` for an optional one; raises ValueError for anything else."""
        source, colon, name = text.partition(":")
        optional = name.endswith("?")
        name = name[:-1] if optional else name
        if not source or not colon or not name:
            raise ValueError(f"{text!r} is not a reference such as `task:input` or `STEP:NAME`")
        return cls(source, name, optional)

    @property
    def step(self) -> str:
        """The name of the step that makes the files; empty if they come from elsewhere."""
        return "" if self.source in SOURCES else self.source

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"
