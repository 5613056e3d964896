"""Check that the package index answers; uv asks, so mirror, proxy and certificates are the same as for installs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# Tiny, and on every mirror; an index that says it has no such package has answered too.
ASKED = "six"
ANSWERED = ("No solution found", "was not found in the package registry")
NO_ANSWER = ("credentials", "403 Forbidden", "network was disabled")


def ask_index(uv: Path, variables: Mapping[str, str], *, timeout: float) -> str:
    """Ask for one small package with an empty cache; returns uv's own words if there was no answer, else nothing.

    `variables` are uv's (`installer_variables`); `timeout` is in seconds.
    """
    with tempfile.TemporaryDirectory(prefix="envguard-index-") as name:
        folder = Path(name)
        wanted = folder / "requirements.in"
        wanted.write_text(f"{ASKED}\n", encoding="utf-8")
        command: list[str | Path] = [
            uv, "pip", "compile", wanted, "--no-deps", "--no-config", "--no-python-downloads", "--no-header",
            "--cache-dir", folder / "cache", "--color", "never", "--quiet", "--python", sys.executable,
        ]  # fmt: skip
        try:
            run = subprocess.run(
                command,
                env={**variables, "UV_HTTP_TIMEOUT": str(max(1, int(timeout))), "UV_HTTP_RETRIES": "0"},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {timeout:g} seconds: operation timed out"
    said = run.stderr.strip()
    answered = any(text in said for text in ANSWERED) and not any(text in said for text in NO_ANSWER)
    return "" if run.returncode == 0 or answered else said or f"uv ended with exit code {run.returncode}"
