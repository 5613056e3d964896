"""Where Jupyter looks for a user's kernels."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def kernels_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the user's kernel specs, as jupyter_core finds it."""
    named = environ.get("JUPYTER_DATA_DIR")
    if named:
        return Path(named) / "kernels"
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or Path.home()) / "jupyter" / "kernels"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter" / "kernels"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "jupyter" / "kernels"
