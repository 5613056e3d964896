"""Where the environment holds npm's `@mediapipe/tasks-vision`."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(sys.prefix) / "lib" / "node_modules" / "@mediapipe" / "tasks-vision"
"""`vision_bundle.mjs`, and the WASM files in `wasm/`."""
