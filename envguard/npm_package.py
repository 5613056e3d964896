"""A package of npm's by its exact version and the hash of its archive, as catalogs and locks name it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

FORM = re.compile(
    r"(?P<name>(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)"
    r"@(?P<version>[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*)"
    r" sha512-(?P<digest>[A-Za-z0-9+/]{86}==)"
)


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """One version of a package: `sha512` is that of its archive, in base64, as npm's `integrity` has it."""

    name: str
    version: str
    sha512: str

    @classmethod
    def parse(cls, said: object) -> NpmPackage:
        """Read `NAME@VERSION sha512-DIGEST`; raises ValueError with what it must be."""
        found = FORM.fullmatch(said) if isinstance(said, str) else None
        if found is None:
            raise ValueError("must be NAME@VERSION and npm's integrity, such as left-pad@1.3.0 sha512-…==")
        return cls(found["name"], found["version"], found["digest"])

    def __str__(self) -> str:
        return f"{self.spec} sha512-{self.sha512}"

    @property
    def spec(self) -> str:
        """What npm is asked for."""
        return f"{self.name}@{self.version}"

    @property
    def hex_digest(self) -> str:
        """The SHA-512 in hex."""
        return base64.b64decode(self.sha512).hex()

    @property
    def archive(self) -> str:
        """What npm calls the archive."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"
