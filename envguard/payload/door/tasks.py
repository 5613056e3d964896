"""A task as steps are run from it: what each is told, and the file that says it where no catalog is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .codec import Json
from .gates import StepFailure
from .requests import Findings, Request


@dataclass(frozen=True)
class TaskStep:
    """A step of a task: `run` is its payload, `inputs` are references by the step's own names for the files.

    `chosen` names the options that are the user's and not the catalog's.
    """

    name: str
    run: str
    inputs: Mapping[str, str]
    options: Mapping[str, Json] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()

    def with_chosen(self, options: Mapping[str, Json]) -> TaskStep:
        """The step with the user's options laid over the catalog's."""
        return replace(self, options={**self.options, **options}, chosen=tuple(sorted({*self.chosen, *options})))

    def request(self, files: Mapping[str, tuple[Path, ...]], folder: Path, findings: Mapping[str, Findings]) -> Request:
        """What the step is told; `files` are those of its inputs by name and `folder` its own, as it sees them."""
        return Request(
            step=self.run,
            inputs=files,
            folder=folder,
            options=self.options,
            findings=findings,
            chosen=self.chosen,
        )


@dataclass(frozen=True)
class TaskFile:
    """A task for a cluster: `inputs` are names of the user's files by input, `samples` those of files by sample.

    `outputs` are references by the task's names for the files that the user gets.
    """

    name: str
    inputs: Mapping[str, str]
    samples: Mapping[str, tuple[str, ...]]
    steps: tuple[TaskStep, ...]
    outputs: Mapping[str, str]
    schema: Literal[2] = 2

    def step(self, name: str) -> TaskStep:
        """The step of that name; raises KeyError if there is none."""
        return {step.name: step for step in self.steps}[name]

    def before(self, name: str) -> tuple[str, ...]:
        """The names of the steps that run before that one."""
        names = [step.name for step in self.steps]
        return tuple(names[: names.index(name)])


@dataclass(frozen=True)
class TaskResults:
    """What every step of a task found, and the gates that were not passed."""

    task: str
    failures: tuple[StepFailure, ...]
    steps: Mapping[str, Findings]
    schema: Literal[2] = 2
