"""The command line as a user starts it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """A command that ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output, which must be one JSON document."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def envguard(*arguments: str | Path, home: Path, cwd: Path | None = None, **environ: str) -> Ended:
    """Run `envguard` with this Python and a store of the test's choice."""
    variables: Mapping[str, str] = {**os.environ, "ENVGUARD_HOME": str(home), **environ}
    run = subprocess.run(
        [sys.executable, "-I", "-m", "envguard", *map(str, arguments)],
        env=variables,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return Ended(run.returncode, run.stdout, run.stderr)
