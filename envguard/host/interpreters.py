"""What is known about the Pythons on this host: those that answered the probe and those that did not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, NamedTuple

ProbeProblem = Literal[
    "dangling link",
    "link loop",
    "missing",
    "folder",
    "not executable",
    "not a program",
    "shim",
    "exit",
    "signal",
    "hang",
    "flood",
    "junk",
    "incomplete",
    "missing library",
    "no base",
]


class Version(NamedTuple):
    """`sys.version_info`; compares as Python versions do, because alpha < beta < candidate < final."""

    major: int
    minor: int
    micro: int
    releaselevel: str
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterFacts:
    """What an interpreter says about itself.

    `full_version` is PEP 508's (`3.13.0rc2`), `build` the text of `sys.version`, `libc` the name and version of the C
    library (the version is empty for musl; None if there is no C library to name), `base_prefix` its own installation
    even if it was started through a virtual environment, whose base interpreter is in `virtual_environment_home`.
    `missing_modules` are the standard modules that were not built or not installed.
    """

    version: Version
    full_version: str
    implementation: str
    implementation_name: str
    implementation_version: str
    architecture: str
    bits: int
    libc: tuple[str, str] | None
    build: str
    platform: str
    soabi: str
    debug: bool
    free_threaded: bool
    os_name: str
    sys_platform: str
    platform_system: str
    base_prefix: str
    executable: str
    virtual_environment_home: str | None
    missing_modules: tuple[str, ...]

    @property
    def libc_text(self) -> str:
        """The C library as records name it: `glibc 2.36`, `musl `, or empty."""
        return " ".join(self.libc or ())

    @classmethod
    def from_json(cls, document: object) -> InterpreterFacts:
        """Read the answer of a probe; raises ValueError if it is not one."""
        if not isinstance(document, dict) or set(document) != {field.name for field in fields(cls)}:
            raise ValueError("not the answer of a probe")
        values = dict(document)
        try:
            major, minor, micro, releaselevel, serial = values["version"]
            values["version"] = Version(int(major), int(minor), int(micro), str(releaselevel), int(serial))
            if values["libc"] is not None:
                name, version = values["libc"]
                values["libc"] = (str(name), str(version))
            values["missing_modules"] = tuple(str(name) for name in values["missing_modules"])
        except TypeError as error:
            raise ValueError("not the answer of a probe") from error
        for field in fields(cls):
            if not isinstance(values[field.name], _JSON_TYPES.get(str(field.type), object)):
                raise ValueError(f"the probe's {field.name} is {values[field.name]!r}")
        return cls(**values)

    def as_json(self) -> dict[str, object]:
        """The same facts as plain JSON, as `from_json` reads them."""
        return asdict(self) | {"version": list(self.version)}


_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "str | None": (str, type(None)),
}


@dataclass(frozen=True, slots=True)
class BaseImage:
    """The container image that an interpreter is in: its name, and its id in the engine.

    `packages` are the Debian packages installed in it; None if it is not Debian.
    """

    reference: str
    id: str
    packages: frozenset[str] | None = None

    def __str__(self) -> str:
        return self.reference


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One real Python, however many names lead to it.

    `path` is the name to start it by, `real_path` the file behind it, `aliases` every other name it was found under,
    `found_in` where (`PATH`, `pyenv`, …). It can be used unless there are `reasons` against it; `notes` say what a user
    may want to know about a usable one. An interpreter in a container image has that image as its `base`, and its paths
    are inside the image.
    """

    path: Path
    real_path: Path
    aliases: tuple[Path, ...]
    found_in: tuple[str, ...]
    facts: InterpreterFacts
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    base: BaseImage | None = None

    def __str__(self) -> str:
        return f"{self.path} in {self.base}" if self.base else str(self.path)

    @property
    def usable(self) -> bool:
        """Whether envguard can build environments with it."""
        return not self.reasons

    @property
    def version(self) -> Version:
        """Major, minor, micro, release level and serial."""
        return self.facts.version

    @property
    def version_text(self) -> str:
        """The version as users write it: `3.11.7`, `3.14.0rc2`."""
        return self.facts.full_version

    @property
    def implementation(self) -> str:
        """`cpython`, `pypy`, …: the value of `sys.implementation.name`."""
        return self.facts.implementation

    @property
    def architecture(self) -> str:
        """The machine it runs on, as `platform.machine` names it: `x86_64`, `arm64`, …."""
        return self.facts.architecture

    def as_json(self) -> dict[str, object]:
        """One row of `envguard probe --json`."""
        return {
            "path": str(self.path),
            "real_path": str(self.real_path),
            "aliases": [str(alias) for alias in self.aliases],
            "found_in": list(self.found_in),
            "usable": self.usable,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "version": self.version_text,
            "implementation": self.implementation,
            "architecture": self.architecture,
            "bits": self.facts.bits,
            "libc": list(self.facts.libc) if self.facts.libc else None,
            "build": self.facts.build,
            "platform": self.facts.platform,
        }


@dataclass(frozen=True, slots=True)
class BrokenInterpreter:
    """A file named like a Python that gave no answer; `reason` says why and what to do."""

    path: Path
    found_in: tuple[str, ...]
    problem: ProbeProblem
    reason: str

    def as_json(self) -> dict[str, object]:
        """One row of `envguard probe --json`."""
        return {
            "path": str(self.path),
            "found_in": list(self.found_in),
            "usable": False,
            "problem": self.problem,
            "reasons": [self.reason],
        }


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Every Python found on the host: `interpreters` with the usable ones first, newest first, then `broken` ones."""

    interpreters: tuple[Interpreter, ...]
    broken: tuple[BrokenInterpreter, ...]

    @property
    def usable(self) -> tuple[Interpreter, ...]:
        """The interpreters that envguard can build environments with, newest first."""
        return tuple(interpreter for interpreter in self.interpreters if interpreter.usable)

    def noted(self, note: Callable[[Interpreter], str]) -> HostFacts:
        """The same, with what `note` says of each usable interpreter, if anything, added to its notes."""
        interpreters = tuple(
            replace(each, notes=(*each.notes, said)) if each.usable and (said := note(each)) else each
            for each in self.interpreters
        )
        return replace(self, interpreters=interpreters)

    def as_json(self) -> dict[str, object]:
        """The document of `envguard probe --json`."""
        return {
            "interpreters": [interpreter.as_json() for interpreter in self.interpreters],
            "broken": [candidate.as_json() for candidate in self.broken],
        }
