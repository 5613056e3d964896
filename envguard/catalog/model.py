"""The words of a catalog as values: environment, edition, task, step, sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class Edition:
    """One version line of an environment.

    `pythons` are minors ("3.11") in order of preference; `requirements` and `overrides` are what the resolver is
    asked for (PEP 508); with `dependencies` off only the requirements themselves are locked. An edition that is not
    `offered` is taken only when it is asked for by name: it is there to be proved again, and to be known.
    """

    name: str
    pythons: tuple[str, ...]
    requirements: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    dependencies: bool = True
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of requirements in one or more editions, and the payload check that proves it.

    `editions` are in order of preference; the first is the default. `check_inputs` are the check's own input names and
    the `sample:NAME` that each stands for; `lockfiles` is the folder that holds one folder per environment.
    """

    name: str
    summary: str
    check: str
    editions: tuple[Edition, ...]
    lockfiles: Path
    check_options: Mapping[str, JsonValue] = field(default_factory=dict)
    check_inputs: Mapping[str, str] = field(default_factory=dict)

    def edition(self, name: str) -> Edition | None:
        """The edition of that name, if there is one."""
        return next((edition for edition in self.editions if edition.name == name), None)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A data file inside a built environment: path below site-packages, size in bytes, SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Files that a `sample:NAME` stands for; `summary` says where they come from."""

    name: str
    summary: str
    environment: str
    files: tuple[SampleFile, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One payload step of a task.

    `inputs` maps the step's own input names to references: `task:input` is the file that the user named,
    `sample:NAME` the files of a sample, `STEP:NAME` a file that an earlier step handed on.
    """

    name: str
    environment: str
    run: str
    inputs: Mapping[str, str]
    options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """What a user runs by name: steps in order, and the reference of the file that becomes the output."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that can be built and run, by name."""

    environments: Mapping[str, Environment]
    tasks: Mapping[str, Task]
    samples: Mapping[str, Sample]
