"""What makes a built environment the one it is, and the name of its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

SCHEMA = 2
"""Of what the store keeps of an environment: one of another schema is left to older envguards, and built anew."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything that makes an environment what it is; two that agree in it are the same environment.

    `interpreter` is the real path (for a Python in an image, preceded by the image's id), `python_version` the full
    version, `python_build` what `sys.version` says of the build, `lock` the lock's SHA-256. Where and when it is built,
    and from which mirror, is not part of it. `own` identifies the code of the project itself that is in it, if any is.
    """

    environment: str
    edition: str
    lock: str
    interpreter: str
    python_version: str
    python_build: str
    platform: str
    backend: str
    schema: int = SCHEMA
    own: str = ""

    @classmethod
    def from_json(cls, document: object) -> Identity:
        """Read what `as_json` gives; raises ValueError for anything else."""
        if not isinstance(document, Mapping):
            raise ValueError("not an identity")
        values = {"own": "", **document}
        for field in fields(cls):
            if not isinstance(values.get(field.name), int if field.name == "schema" else str):
                raise ValueError(f"the identity's {field.name} is {values.get(field.name)!r}")
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    def as_json(self) -> dict[str, str | int]:
        """The identity as plain JSON."""
        return {name: value for name, value in asdict(self).items() if name != "own" or value}

    @property
    def key(self) -> str:
        """SHA-256 over all fields, in hex."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """A readable name that no other identity has."""
        python = "".join(self.python_version.split(".")[:2])
        return f"{self.environment}-{self.edition}-cp{python}-{self.key[:16]}"
