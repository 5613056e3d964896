"""The words of a catalog as values: environment, edition, task, step, sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.payload.door.references import TASK, Reference
from envguard.table_reader import JsonValue


@dataclass(frozen=True, slots=True)
class Edition:
    """One version line of an environment.

    `pythons` are minors ("3.11") in order of preference; `requirements` and `overrides` are what the resolver is
    asked for (PEP 508); with `dependencies` off only the requirements themselves are locked. An edition that is not
    `offered` is taken only when it is asked for by name: it is there to be proved again, and to be known.
    `system_libraries` are the Debian packages that a minimal system must have for it, beyond the C and C++ runtimes.
    """

    name: str
    pythons: tuple[str, ...]
    requirements: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    dependencies: bool = True
    offered: bool = True
    system_libraries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of requirements in one or more editions, and the check that proves it.

    `check` is the payload check, or the text of `check_command`, which runs in the environment instead of one.
    `editions` are in order of preference; the first is the default. `check_inputs` are the check's own input names and
    the `sample:NAME` that each stands for; `lockfiles` is the folder that holds one folder per environment, `folder`
    the one that scripts are named from.
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
class PayloadStep:
    """A step of a task that runs envguard's own code (`run`: `steps.NAME`) in an environment.

    `inputs` maps the step's own input names to references: `task:NAME` is a file that the user named, `sample:NAME`
    the files of a sample, `file:PATH` a file of the catalog's folder, `STEP:NAME` one that an earlier step handed on.
    A step that `measures` times has no other step beside it.
    """

    name: str
    environment: str
    inputs: Mapping[str, Reference]
    run: str
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    measures: bool = False


@dataclass(frozen=True, slots=True)
class CommandStep:
    """A step of a task that runs a user's command in an environment.

    In `command`, `{input.NAME}` and `{output.NAME}` stand for paths. `inputs` are as of a payload step, `outputs` map
    names to the files that the command must make in its scratch folder, `env` holds variables to set; `measures` is
    as of a payload step.
    """

    name: str
    environment: str
    inputs: Mapping[str, Reference]
    command: tuple[str, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    measures: bool = False


Step = PayloadStep | CommandStep


@dataclass(frozen=True, slots=True)
class Task:
    """What a user runs by name: steps in order, and what becomes of their files.

    `outputs` maps names to the references of the files that the user gets; `folder` is the one that scripts and
    `file:` references are named from.
    """

    name: str
    summary: str
    steps: tuple[Step, ...]
    outputs: Mapping[str, Reference]
    folder: Path = Path()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the files that the user must give: every NAME of a `task:NAME`, in order."""
        references = (reference for step in self.steps for reference in step.inputs.values())
        return tuple(dict.fromkeys(reference.name for reference in references if reference.source == TASK))


@dataclass(frozen=True, slots=True)
class Index:
    """Where a project says that its packages come from; what the user has set in variables goes before it.

    `url` is the address of a simple index (PEP 503), without credentials, `certificates` a file of authorities to
    trust (PEM), `proxy` the address of an HTTP proxy; each may be empty.
    """

    url: str = ""
    certificates: str = ""
    proxy: str = ""

    def under(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables with the project's settings where the user has none."""
        laid = dict(environ)
        for value, name, *others in (
            (self.url, "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"),
            (self.certificates, "SSL_CERT_FILE", "PIP_CERT"),
            (self.proxy, "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "PIP_PROXY"),
        ):
            if value and not any(environ.get(each) for each in (name, *others)):
                laid[name] = value
        return laid


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that can be built and run, by name; `project` is the folder of the user's own part, if there is one.

    The built-in part comes first. `base` is the container image that images are built on; `{python}` in it stands for
    the Python minor.
    """

    environments: Mapping[str, Environment]
    tasks: Mapping[str, Task]
    samples: Mapping[str, Sample]
    project: Path | None = None
    index: Index = Index()
    base: str = ""
