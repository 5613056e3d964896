"""Which tool installs: uv, or virtualenv and pip where the user says so or uv does not start."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import BadInput, NoEnvironment
from envguard.host.variables import step_variables
from envguard.locks.uv import find_uv

VARIABLE = "ENVGUARD_INSTALLER"
TOOLS = ("uv", "pip")
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """uv's binary, or None and why virtualenv and pip install instead; empty if the user wants it so."""

    uv: Path | None
    why: str = ""


def chosen_tool(environ: Mapping[str, str]) -> Chosen:
    """The tool to install with; raises BadInput if there is none of the name that the user gave.

    Raises NoEnvironment if the user wants uv and it does not start.
    """
    wanted = environ.get(VARIABLE, "")
    if wanted not in ("", *TOOLS):
        raise BadInput(f"There is no installer {wanted!r}.", next_step=f"Set {VARIABLE} to one of: {', '.join(TOOLS)}.")
    if wanted == "pip":
        return Chosen(None)
    try:
        binary = find_uv()
        why = why_not_starting(binary, step_variables(environ))
    except NoEnvironment as error:
        why = error.why
    if not why:
        return Chosen(binary)
    if wanted == "uv":
        raise NoEnvironment(
            "envguard's own uv does not start.",
            why=why,
            next_step=f"Leave {VARIABLE} out, or set it to pip: virtualenv and pip install the same files.",
        )
    return Chosen(None, f"it does not start ({why})")


def why_not_starting(binary: Path, variables: Mapping[str, str]) -> str:
    """Why a program does not start, in the system's own words; empty if it does."""
    try:
        run = subprocess.run(
            [binary, "--version"],
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=START_SECONDS,
        )
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"{binary} gave no answer in {START_SECONDS:g} seconds"
    if run.returncode == 0:
        return ""
    said = run.stderr.strip().splitlines()[-1:]
    ended = f"signal {-run.returncode}" if run.returncode < 0 else f"exit code {run.returncode}"
    return f"{binary} ended with {ended}" + "".join(f" ({line})" for line in said)
