"""Ask uv to resolve for some platforms and one Python minor alone, as it does for a project with such limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from envguard.locks.lockfile import LockRequest
from envguard.platform_tags import PLATFORMS
from envguard.requirement import written

# The oldest that uv may run on; which minor is resolved for is told by `environments`.
_ANY_PYTHON = ">=3.8"


def write_project(request: LockRequest, folder: Path) -> None:
    """Write a `pyproject.toml` whose dependencies and limits are those of the request.

    Without platforms in the request, every package may lack wheels for some; with them, a release is chosen that has
    wheels for each. Raises ValueError for what is no requirement.
    """
    python = f"python_version == '{request.python}'"
    markers = [f"{python} and {PLATFORMS[name].marker}" for name in request.platforms]
    tables: dict[str, dict[str, object]] = {
        "project": {
            "name": "envguard-lock",
            "version": "0",
            "requires-python": _ANY_PYTHON,
            "dependencies": [written(each) for each in request.requires],
        },
        "tool.uv": {
            "package": False,
            "environments": markers or [python],
            "required-environments": markers,
            "override-dependencies": [written(each) for each in request.overrides],
            "constraint-dependencies": [written(each) for each in request.pins],
        },
    }
    text = "\n".join(line for name, values in tables.items() for line in _table(name, values))
    (folder / "pyproject.toml").write_text(text + "\n", encoding="utf-8")


def _table(name: str, values: dict[str, object]) -> Iterable[str]:
    """A TOML table; texts and lists of printable ASCII are written alike in JSON and TOML."""
    yield f"[{name}]"
    yield from (f"{key} = {json.dumps(value)}" for key, value in values.items())


def resolve_command(cut_off: str, cache: Path) -> list[str | Path]:
    """uv's arguments to resolve the project in the working folder."""
    return [
        "lock", "--no-config", "--no-python-downloads", "--python", sys.executable, "--no-build",
        "--exclude-newer", cut_off, "--cache-dir", cache, "--color", "never", "--quiet",
    ]  # fmt: skip


def export_command(output: Path, cache: Path) -> list[str | Path]:
    """uv's arguments to write what it resolved as a `pylock.toml`."""
    return [
        "export", "--frozen", "--no-config", "--no-python-downloads", "--python", sys.executable, "--no-emit-project",
        "--format", "pylock.toml", "--output-file", output, "--cache-dir", cache, "--color", "never", "--quiet",
    ]  # fmt: skip
