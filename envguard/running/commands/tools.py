"""The programs of the host that a step may call: found where the user's PATH says, and known by version and content."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import CommandStep
from envguard.errors import BadInput
from envguard.files import file_facts
from envguard.host.variables import step_variables
from envguard.running.commands.outside import HostTool
from envguard.system.programs import version_of


def tool_paths(step: CommandStep, environ: Mapping[str, str]) -> dict[str, Path]:
    """Where the step's tools are; raises BadInput for one that is not on the user's PATH."""
    paths = {}
    for name in step.tools:
        found = shutil.which(name, path=environ.get("PATH", ""))
        if found is None:
            raise BadInput(
                f"The step {step.name!r} calls {name}, which is not on your PATH.",
                why="envguard.toml names it among the step's tools, which come from your system and not from a lock",
                next_step=f"{_how_to_get(name)}, or add the folder that it is in to PATH.",
            )
        paths[name] = Path(found).absolute()
    return paths


def tools_of(step: CommandStep, environ: Mapping[str, str]) -> dict[str, HostTool]:
    """The step's tools as a receipt records them; raises BadInput for one that is missing or cannot be read."""
    return {name: _tool(name, path, environ) for name, path in tool_paths(step, environ).items()}


def _tool(name: str, path: Path, environ: Mapping[str, str]) -> HostTool:
    try:
        return HostTool(version_of(path, step_variables(environ)), file_facts(path.resolve()).sha256)
    except OSError as error:
        raise BadInput(
            f"The program {name} at {path} cannot be read.", why=str(error), next_step="Check its permissions."
        ) from error


def _how_to_get(name: str) -> str:
    if sys.platform == "darwin":
        return f"Install the package that has it, for example with `brew install {name}`"
    if sys.platform == "win32":
        return f"Install it; `winget search {name}` finds packages"
    return f"Install the package of your system that has it (on Debian, `apt-cache search {name}` finds packages)"
