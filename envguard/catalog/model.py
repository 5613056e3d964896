"""A catalog as values: environments, editions, tasks, steps and samples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envguard.npm_package import NpmPackage
from envguard.payload.door.references import SAMPLE, TASK, Reference
from envguard.requirement import OwnPackage, recorded
from envguard.table_reader import JsonValue


@dataclass(frozen=True, slots=True)
class OptionalLibraries:
    """What a system may have for a part of what an environment does, which `purpose` says.

    `packages` maps Debian packages to a file of each that is in one of the linker's folders, or below one.
    """

    purpose: str
    packages: Mapping[str, str]


NO_LIBRARIES = OptionalLibraries("", {})


@dataclass(frozen=True, slots=True)
class Edition:
    """One version line of an environment.

    `pythons` are minors ("3.11") in order of preference; `requirements` and `overrides` are what the resolver is
    given (PEP 508); with `dependencies` off, only the requirements themselves are locked. An edition that is not
    `offered` is used only if it is named: it stays in the catalog to be proved again and to be on record.
    `system_libraries` are the Debian packages that a minimal system needs for it, besides the C and C++ runtimes.
    `optional_libraries` are those that only a part of its work needs.
    `npm` are packages of npm's that are unpacked into it. `platforms` are the names of those that it is for; none
    stands for all. `build` names the packages whose wheels are built from their sdists.
    """

    name: str
    pythons: tuple[str, ...]
    requirements: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    dependencies: bool = True
    offered: bool = True
    system_libraries: tuple[str, ...] = ()
    npm: tuple[NpmPackage, ...] = ()
    optional_libraries: OptionalLibraries = NO_LIBRARIES
    platforms: tuple[str, ...] = ()
    build: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of requirements in one or more editions, and the check that proves it.

    `check` is the payload check, or the text of `check_command`, which runs in the environment in its place. `editions`
    are in order of preference; the first is the default. `check_inputs` maps the check's own input names to samples;
    `lockfiles` is the folder that holds one folder per environment, `folder` the one that paths of scripts are relative
    to. `indexes` maps packages to the name of the index that alone may serve them; one that is not `dated` has its
    other packages from an index that does not tell when files were uploaded. With `overlaps`, its packages may install
    the same files with different content. `own` are the packages of the project itself that are installed too.
    """

    name: str
    summary: str
    check: str
    editions: tuple[Edition, ...]
    lockfiles: Path
    check_options: Mapping[str, JsonValue] = field(default_factory=dict)
    check_inputs: Mapping[str, Reference] = field(default_factory=dict)
    check_command: tuple[str, ...] = ()
    folder: Path = Path()
    indexes: Mapping[str, str] = field(default_factory=dict)
    dated: bool = True
    overlaps: bool = False
    own: tuple[OwnPackage, ...] = ()

    @property
    def pythons(self) -> tuple[str, ...]:
        """Every minor that one of its editions is for, the preferred one first."""
        return tuple(dict.fromkeys(python for edition in self.editions for python in edition.pythons))

    @property
    def reaches_out(self) -> bool:
        """Whether something of one of its editions has to be built, or fetched from where a requirement says."""
        return bool(self.own) or any(
            edition.build or any(recorded(each) != each for each in edition.requirements) for edition in self.editions
        )

    def edition(self, name: str) -> Edition | None:
        """The edition with that name, or None."""
        return next((edition for edition in self.editions if edition.name == name), None)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A data file inside a built environment: path below site-packages, size in bytes, SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The files that `sample:NAME` stands for; `summary` says where they come from."""

    name: str
    summary: str
    environment: str
    files: tuple[SampleFile, ...]


@dataclass(frozen=True, slots=True)
class PayloadStep:
    """A step of a task that runs envguard's own code (`run`: `steps.NAME`) in an environment.

    `inputs` maps the step's own input names to references: `task:NAME` is a file that the user named, `sample:NAME`
    the files of a sample, `file:PATH` a file in the catalog's folder, `STEP:NAME` one that an earlier step made. While
    a step that `measures` times is running, no other step runs. A step with `retries` makes candidates: where a gate of
    its own or of a later step refuses one, it is run again for the next best, at most so many times. One `on_request`
    is only part of a run that asks for it by name. A step that takes longer than `timeout` seconds is ended.
    """

    name: str
    environment: str
    inputs: Mapping[str, Reference]
    run: str
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    measures: bool = False
    retries: int = 0
    on_request: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class CommandStep:
    """A step of a task that runs a user's command in an environment.

    In `command`, `{input.NAME}` and `{output.NAME}` stand for paths. `outputs` maps names to what the command must
    create in its scratch folder: files, and folders, which end in a slash. `env` holds variables to set, `env_file` is
    a file of the project with more, and `pass_env` names variables of the user's; `${NAME}` in `command` and `env`
    stands for one of them. `tools` are the programs of the host that it may call. With `network` off it has
    none, as far as the system can see to that; None says nothing. The rest is as in a payload step.
    """

    name: str
    environment: str
    inputs: Mapping[str, Reference]
    command: tuple[str, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    measures: bool = False
    on_request: bool = False
    pass_env: tuple[str, ...] = ()
    env_file: str = ""
    timeout: float | None = None
    tools: tuple[str, ...] = ()
    network: bool | None = None


Step = PayloadStep | CommandStep


@dataclass(frozen=True, slots=True)
class Task:
    """What a user runs by name: steps in order, and which of their files the user gets.

    `outputs` maps names to the references of the files that the user gets; a task without any is judged by how its
    commands end. `reports` those of files about the run,
    which are made after the verdict, whatever it is, if the user asks for them. `folder` is the one that scripts and
    `file:` references are named from. `steps` are those of a run; `declared` are all, those on request too.
    The tasks that it `depends_on` run before it, and it only if they say yes. Its matrix are the Pythons and editions
    that it is tried with on request; none are all of its first step's environment.
    """

    name: str
    summary: str
    steps: tuple[Step, ...]
    outputs: Mapping[str, Reference]
    folder: Path = Path()
    reports: Mapping[str, Reference] = field(default_factory=dict)
    declared: tuple[Step, ...] = ()
    depends_on: tuple[str, ...] = ()
    matrix_pythons: tuple[str, ...] = ()
    matrix_editions: tuple[str, ...] = ()

    def including(self, names: Collection[str]) -> Task:
        """The same task with the steps of those names that run on request, and no other such step."""
        steps = tuple(step for step in self.declared or self.steps if not step.on_request or step.name in names)
        return replace(self, steps=steps)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the files that the user must give: every NAME of a `task:NAME`, in order."""
        return self._named_by_user(optional=False)

    @property
    def optional_inputs(self) -> tuple[str, ...]:
        """The names of inputs that the user may give, each any number of files."""
        return tuple(name for name in self._named_by_user(optional=True) if name not in self.inputs)

    @property
    def verdict_steps(self) -> tuple[Step, ...]:
        """The steps that the verdict rests on: all but those that make reports."""
        makers = {reference.source for reference in self.reports.values()}
        return tuple(step for step in self.steps if step.name not in makers)

    def makes_folder(self, reference: Reference) -> bool:
        """Whether what a reference stands for is a folder, as a command step says by a slash at its end."""
        makers = (step for step in self.steps if isinstance(step, CommandStep) and step.name == reference.source)
        return any(step.outputs.get(reference.name, "").endswith("/") for step in makers)

    def reporting_steps(self, reports: Collection[str]) -> tuple[Step, ...]:
        """The steps that make the named reports."""
        makers = {self.reports[name].source for name in reports}
        return tuple(step for step in self.steps if step.name in makers)

    def _named_by_user(self, *, optional: bool) -> tuple[str, ...]:
        references = (reference for step in self.steps for reference in step.inputs.values())
        wanted = (each.name for each in references if each.source == TASK and each.optional is optional)
        return tuple(dict.fromkeys(wanted))


@dataclass(frozen=True, slots=True)
class NamedIndex:
    """A package index (PEP 503) that serves these `packages` and no others; nothing else may serve them."""

    name: str
    url: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Where a project says its packages come from; variables that the user has set take precedence.

    `url` is the address of a simple index (PEP 503), without credentials, `certificates` a PEM file of authorities to
    trust, `proxy` the address of an HTTP proxy; each may be empty. One that is not `dated` does not tell when files
    were uploaded. `named` are the indexes of single packages.
    """

    url: str = ""
    certificates: str = ""
    proxy: str = ""
    dated: bool = True
    named: tuple[NamedIndex, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that can be built and run, by name; `project` is the folder of the user's own part, if any.

    The built-in part comes first. `pythons` are the minors of environments that name none of their own, the preferred
    one first. `base` is the container image that images are built from; `{python}` in it stands for
    the Python minor. `allowed` says that the user allowed the project on the command line; `declared` is the whole
    catalog, if the project's index and base image were left out of this one because its user has not allowed it.
    """

    environments: Mapping[str, Environment]
    tasks: Mapping[str, Task]
    samples: Mapping[str, Sample]
    project: Path | None = None
    index: Index = Index()
    base: str = ""
    allowed: bool = False
    declared: Catalog | None = None
    pythons: tuple[str, ...] = ()

    def environments_of(self, task: Task, reports: Collection[str] = ()) -> list[str]:
        """What a task needs: the environments of its steps, of reports asked for, and of the samples that they read."""
        names: dict[str, None] = {}
        for step in (*task.verdict_steps, *task.reporting_steps(reports)):
            names[step.environment] = None
            for reference in step.inputs.values():
                if reference.source == SAMPLE:
                    names[self.samples[reference.name].environment] = None
        return list(names)
