"""What checks and audits of environments find, what audits are told of a system, and bills of what is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .codec import Json


@dataclass(frozen=True)
class CheckFindings:
    """Facts that a proof keeps, each check its own: versions, counts, sizes."""

    facts: Mapping[str, Json] = field(default_factory=dict)
    step: Literal["check"] = "check"


Provision = Literal["system", "package", "redistributable", "driver", "python"]
"""Who brings a library that wheels do not: every installation of the system, a package of it, the compiler's maker's
installer, the maker of a device, or the Python beside which the wheels are installed."""

Severity = Literal["error", "note"]


@dataclass(frozen=True)
class ProvidedLibraries:
    """Libraries that wheels may leave to others; `names` are patterns, with `*`, of names as modules write them.

    `what` says what to install, for those that not every machine has; `source` where it is written that they may.
    """

    system: Literal["linux", "macos", "windows"]
    kind: Provision
    names: tuple[str, ...]
    source: str
    what: str = ""


@dataclass(frozen=True)
class OptionalModules:
    """Native modules whose package works without them; `paths` are patterns, with `*`, below site-packages."""

    paths: tuple[str, ...]
    why: str
    source: str


@dataclass(frozen=True)
class SystemLibraries:
    """What native modules may lack without being broken."""

    libraries: tuple[ProvidedLibraries, ...]
    optional: tuple[OptionalModules, ...]


@dataclass(frozen=True)
class AuditFinding:
    """Something that wheels say of themselves: an `error` keeps modules from loading, a `note` depends on the machine.

    `check` is its kind; `modules` are files below site-packages that it is about.
    """

    check: str
    level: Severity
    text: str
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditFindings:
    """How many native modules for the platform there are in how many wheels, and what was found.

    `needs` is the oldest system that all of them were built for: `glibc 2.34`, `macOS 15.2`, or empty. `reader` names
    the library that read them, with its version.
    """

    wheels: int
    modules: int
    findings: tuple[AuditFinding, ...]
    needs: str
    reader: str
    step: Literal["audit"] = "audit"


@dataclass(frozen=True)
class BilledPackage:
    """An installed package, and the hash (in hex) of what it was installed from.

    `origin` is where its name means something: an index of Python packages, npm's registry, or the project alone.
    `license` is what its metadata says, or empty; `requires` are names of other packages of the bill.
    """

    name: str
    version: str
    origin: Literal["pypi", "npm", "project"]
    algorithm: Literal["SHA-256", "SHA-512"]
    digest: str
    license: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bill:
    """The packages of an environment's lock on one platform; `roots` are the names that were asked for.

    `lock` is the lock's SHA-256, `date` (RFC 3339, UTC, to the second) its cut-off date, so that the same lock gives
    the same document.
    """

    environment: str
    edition: str
    python: str
    platform: str
    lock: str
    date: str
    envguard: str
    roots: tuple[str, ...]
    packages: tuple[BilledPackage, ...]


@dataclass(frozen=True)
class BillFindings:
    """The size of the document that was written, in bytes."""

    bytes: int
    step: Literal["sbom"] = "sbom"
