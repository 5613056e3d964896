"""Where the environment holds npm's `@mediapipe/tasks-vision`, and which version it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(sys.prefix) / "lib" / "node_modules" / "@mediapipe" / "tasks-vision"
"""`vision_bundle.mjs`, and the WASM files in `wasm/`."""


def package_version() -> str:
    """The version that the package says it is."""
    return str(json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["version"])
