"""The compiler of this host that builds native code for a Python: it is in no lock, so a lock says which one it was."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from packaging.utils import parse_wheel_filename

from envguard.host.variables import step_variables
from envguard.system.programs import program_of, version_of

ASK = "import sysconfig; print(sysconfig.get_config_var('CC') or '')"


def is_native(wheel: str) -> bool:
    """Whether the wheel of that file name is for one platform alone."""
    return any(tag.platform != "any" for tag in parse_wheel_filename(wheel)[3])


def compiler_for(python: Path, environ: Mapping[str, str]) -> str:
    """What that Python's extensions are compiled with here, as it calls itself in ASCII; empty if it is not known."""
    variables = step_variables(environ)
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        command = [str(python), "-I", "-c", ASK]
        said = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", check=True, timeout=60)
        program = program_of(shlex.split(said.stdout)[0], variables) if said.stdout.strip() else None
        if program is not None:
            return version_of(Path(program), variables).encode("ascii", "replace").decode("ascii")
    return ""
